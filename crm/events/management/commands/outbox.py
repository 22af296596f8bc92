import json

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from crm.events.engine import drain
from crm.events.health import status
from crm.events.models import Delivery

FAILED, WRONG_USAGE = 1, 2  # exit statuses, besides 0 for done
EXPLAINED = {
    "status": "how much waits and what was given up",
    "retry": "try dead deliveries again",
    "drain": "relay and run here, now, all that is due",
}


class Command(BaseCommand):
    """Exit status 1 when anything is dead: so for `status`, and for `drain` after its work."""

    help = "Look after the events on their way to their handlers: " + "; ".join(map(": ".join, EXPLAINED.items())) + "."

    def add_arguments(self, parser):
        parser.add_argument("action", choices=EXPLAINED)
        parser.add_argument("--workspace", metavar="SLUG", help="of this workspace only (status and retry)")
        parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")

    def handle(self, *args, action, workspace, **options):
        if action == "drain" and workspace:
            raise CommandError("drain works for all workspaces at once.", returncode=WRONG_USAGE)
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
        raise CommandError(f"There is no workspace “{slug}”.", returncode=WRONG_USAGE)
    return found.pk


def _sentence(report: dict[str, int]) -> str:
    counts = ", ".join(
        f"{report[name]} {name}" for name in ("retried", "tried", "pending", "leased", "dead") if name in report
    )
    return f"{counts}; the oldest event has been waiting for {report['oldest_seconds']} s."
