"""manage.py drop_legacy_leads --workspace SLUG"""

from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.legacy_leads.dropping.drop import drop
from crm.legacy_leads.verbs.confirm_drop import confirm_drop
from crm.users.command import REFUSED, WorkspaceCommand


class Command(WorkspaceCommand):
    """Drop the retired table in all workspaces, or print what is missing. Can be repeated."""

    whole_schema = True
    # argparse takes no lazy text.
    help = _(
        "Drop the legacy leads of every workspace. Requires 90 days without reads, confirmations by admins and a "
        "verified export. Lists unmet conditions. Admins confirm with --confirm --user EMAIL."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--confirm", action="store_true", help=_("confirm, as --user, that the table can be dropped")
        )

    def run(self, by: Actor, *, confirm: bool, json: bool, **options) -> int:
        if confirm:
            confirm_drop(by=by)
            self.stdout.write(_("Confirmed."))
            if json:
                self.tell({"confirmed": True})
            return 0
        rows, lacking = drop(by=by)
        for slug, sentences in lacking.items():
            for sentence in sentences:
                self.stderr.write(f"{slug}: {sentence}")
        dropped = ngettext("{count} legacy lead was dropped.", "{count} legacy leads were dropped.", rows)
        self.stdout.write(_("Nothing was dropped.") if lacking else dropped.format(count=formats.number(rows)))
        if json:
            self.tell({"rows": rows, "missing": lacking})
        return REFUSED if lacking else 0
