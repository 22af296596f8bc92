"""manage.py export_legacy_leads FILE --workspace SLUG"""

from pathlib import Path

from crm.kit.actor import Actor
from crm.legacy_leads.dropping.export import export, rehearse
from crm.users.command import WorkspaceCommand


class Command(WorkspaceCommand):
    """Write the retired table of a workspace to a file, or restore such a file on trial. Both can be repeated."""

    whole_schema = True
    help = (
        "Write the old leads of a workspace to a file, verified by its checksum; with --rehearse restore that file on "
        "trial. Both are needed before drop_legacy_leads."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", help="the file to write, or with --rehearse to restore")
        parser.add_argument("--rehearse", action="store_true", help="restore it into a table that is gone afterwards")

    def run(self, by: Actor, *, file: str, json: bool, **options) -> int:
        rows = (rehearse if options["rehearse"] else export)(Path(file), by=by)
        came_back = "came back as they were; nothing else was changed."
        self.stdout.write(f"{rows:,} old leads {came_back if options['rehearse'] else f'are in {file}: keep it.'}")
        if json:
            self.tell({"rows": rows})
        return 0
