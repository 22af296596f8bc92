"""manage.py export_legacy_leads FILE --workspace SLUG"""

from pathlib import Path

from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.legacy_leads.dropping.export import export, rehearse
from crm.users.command import WorkspaceCommand


class Command(WorkspaceCommand):
    """Export a workspace's retired table to a file, or test-restore such a file. Both can be repeated."""

    whole_schema = True
    # argparse takes no lazy text.
    help = _(
        "Export the legacy leads of a workspace to a file with a checksum. With --rehearse, verify the file by a "
        "trial restore. drop_legacy_leads requires both."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", help=_("the file to write, or with --rehearse to verify"))
        parser.add_argument("--rehearse", action="store_true", help=_("restore the file into a temporary table"))

    def run(self, by: Actor, *, file: str, json: bool, **options) -> int:
        rows = (rehearse if options["rehearse"] else export)(Path(file), by=by)
        sentence = (
            ngettext(
                "{count} legacy lead was restored as exported. No changes were made.",
                "{count} legacy leads were restored as exported. No changes were made.",
                rows,
            )
            if options["rehearse"]
            else ngettext(
                "{count} legacy lead was exported to {file}. Keep the file.",
                "{count} legacy leads were exported to {file}. Keep the file.",
                rows,
            )
        )
        self.stdout.write(sentence.format(count=formats.number(rows), file=file))
        if json:
            self.tell({"rows": rows})
        return 0
