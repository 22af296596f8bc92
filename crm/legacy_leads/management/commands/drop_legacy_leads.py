"""manage.py drop_legacy_leads --workspace SLUG"""

from crm.kit.actor import Actor
from crm.legacy_leads.dropping.drop import drop
from crm.legacy_leads.verbs.confirm_drop import confirm_drop
from crm.users.command import REFUSED, WorkspaceCommand


class Command(WorkspaceCommand):
    """Drop the retired table of all workspaces, or say what is missing. Can be repeated."""

    whole_schema = True
    help = (
        "Drop the retired leads of every workspace: once nobody has read them for 90 days, the admins have confirmed, "
        "and an export was restored on trial. Says what is missing; with --confirm --user EMAIL an admin confirms."
    )

    def add_arguments(self, parser):
        parser.add_argument("--confirm", action="store_true", help="say, as --user, that the table may be dropped")

    def run(self, by: Actor, *, confirm: bool, json: bool, **options) -> int:
        if confirm:
            confirm_drop(by=by)
            self.stdout.write("Confirmed.")
            if json:
                self.tell({"confirmed": True})
            return 0
        rows, lacking = drop(by=by)
        for slug, sentences in lacking.items():
            for sentence in sentences:
                self.stderr.write(f"{slug}: {sentence}")
        self.stdout.write("Nothing was dropped." if lacking else f"{rows:,} old leads were dropped.")
        if json:
            self.tell({"rows": rows, "missing": lacking})
        return REFUSED if lacking else 0
