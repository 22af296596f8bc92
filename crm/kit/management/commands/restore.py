"""manage.py restore FILE"""

import json
from pathlib import Path

from django.core.management.base import BaseCommand

from crm.backup.failures import report_failure
from crm.backup.restore import restore_backup
from crm.users.command import REFUSED, wrong_usage


class Command(BaseCommand):
    """Exit status 0 when all is there and proved, 1 with the reason, 2 for wrong usage."""

    help = (
        "Bring back what `backup` wrote to FILE, into the database and DATA_DIR of the environment: an empty one, or "
        "the one named by --replace. The rows are counted and the audit logs verified. Restore only files of your own."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="a file that backup wrote")
        parser.add_argument("--replace", metavar="NAME", default="", help="lose what is in the database of this name")
        parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")

    def handle(self, *args, file: Path, replace: str, **options) -> None:
        if not file.is_file():
            raise wrong_usage(f"There is no file {file}.")
        with report_failure(refused="Nothing was restored. "):
            report = restore_backup(file, replace)
        self._tell(report, options["json"])

    def _tell(self, report: dict, as_json: bool) -> None:
        self.stdout.write(f"Restored {report['rows']} rows and {report['files']} uploaded files; they are all there.")
        for slug, verdict in report["audit"].items():
            sentence = verdict["problem"] or f"{verdict['sealed']} entries are sealed and as they were."
            self.stdout.write(f"Audit log of {slug}: {sentence}")
        if as_json:
            self.stdout.write(json.dumps(report))
        if not all(verdict["ok"] for verdict in report["audit"].values()):
            raise SystemExit(REFUSED)
