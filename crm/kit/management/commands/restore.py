"""manage.py restore FILE"""

import json
from pathlib import Path

from crm.backup.failures import report_failure
from crm.backup.restore import restore_backup
from crm.kit import formats
from crm.kit.command import TranslatedCommand
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.users.command import REFUSED, wrong_usage


class Command(TranslatedCommand):
    """Exit status 0 if all data is restored and verified, 1 with the reason, 2 for wrong usage."""

    help = _(
        "Restore the backup in FILE into the database and the DATA_DIR of this environment. The database must be empty "
        "or named by --replace. Rows are counted and audit logs verified. Restore only backups that you trust."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help=gettext("path of the backup"))
        parser.add_argument("--replace", metavar="NAME", default="", help=gettext("overwrite the database NAME"))
        parser.add_argument("--json", action="store_true", help=gettext("print a JSON object as the last line"))

    def handle(self, *args, file: Path, replace: str, **options) -> None:
        if not file.is_file():
            raise wrong_usage(gettext("File {file} not found.").format(file=file))
        with report_failure(refused=gettext("Nothing was restored. {reason}")):
            report = restore_backup(file, replace)
        self._tell(report, options["json"])

    def _tell(self, report: dict, as_json: bool) -> None:
        sentence = gettext("Restored and verified. Rows: {rows}. Uploaded files: {files}.")
        counts = {"rows": formats.number(report["rows"]), "files": formats.number(report["files"])}
        self.stdout.write(sentence.format(**counts))
        for slug, verdict in report["audit"].items():
            result = verdict["problem"] or _entries_verified(verdict["sealed"])
            self.stdout.write(gettext("Audit log of {workspace}: {result}").format(workspace=slug, result=result))
        if as_json:
            self.stdout.write(json.dumps(report))
        if not all(verdict["ok"] for verdict in report["audit"].values()):
            raise SystemExit(REFUSED)


def _entries_verified(count: int) -> str:
    sentence = ngettext("{count} entry verified.", "{count} entries verified.", count)
    return sentence.format(count=formats.number(count))
