import json

from django.apps import apps
from django.core.management.base import CommandError

from crm.events.engine import drain
from crm.events.health import status
from crm.events.models import Delivery
from crm.kit import formats
from crm.kit.command import TranslatedCommand
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

FAILED, WRONG_USAGE = 1, 2  # exit statuses; success is 0
ACTIONS = ("status", "retry", "drain")
COUNTS = {
    "retried": _("Retried: {count}"),
    "tried": _("Processed: {count}"),
    "pending": _("Pending: {count}"),
    "leased": _("In progress: {count}"),
    "dead": _("Failed: {count}"),
}


class Command(TranslatedCommand):
    """`status` exits with 1 if any delivery is dead, and `drain` if any is dead after its work."""

    help = _(
        "Inspect and manage event deliveries. status: show pending and failed deliveries. retry: retry failed "
        "deliveries. drain: process all due deliveries now, in this process."
    )

    def add_arguments(self, parser):
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("--workspace", metavar="SLUG", help=gettext("only this workspace (status and retry)"))
        parser.add_argument("--json", action="store_true", help=gettext("print a JSON object as the last line"))

    def handle(self, *args, action, workspace, **options):
        if action == "drain" and workspace:
            raise CommandError(gettext("Use drain without --workspace."), returncode=WRONG_USAGE)
        only = {"workspace_id": _workspace(workspace)} if workspace else {}
        report = {}
        if action == "retry":
            report = {"retried": Delivery.objects.unscoped().filter(**only).retry()}
        elif action == "drain":
            report = {"tried": drain()}
        report |= status(**only)
        self.stdout.write(json.dumps(report) if options["json"] else _sentence(report))
        if report["dead"]:
            raise SystemExit(FAILED)


def _workspace(slug: str) -> int:
    found = apps.get_model("users.Workspace").objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(gettext("Workspace “{slug}” not found.").format(slug=slug), returncode=WRONG_USAGE)
    return found.pk


def _sentence(report: dict[str, int]) -> str:
    lines = [text.format(count=formats.number(report[name])) for name, text in COUNTS.items() if name in report]
    oldest = gettext("Oldest pending event: {seconds} s")
    return "\n".join([*lines, oldest.format(seconds=formats.number(report["oldest_seconds"]))])
