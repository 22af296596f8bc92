"""manage.py backup FILE"""

import json
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from crm.backup.failures import report_failure
from crm.backup.make import make_backup
from crm.users.command import wrong_usage


class Command(BaseCommand):
    """Exit status 0 when the file is whole and on the disk, 1 with the reason, 2 for wrong usage."""

    help = (
        "Write the database and the uploaded files to FILE, consistent, while everybody goes on working. Replaces a "
        "FILE that is there, once the new one is whole. PostgreSQL needs pg_dump on the PATH. Sessions are left out."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="where to; readable by its owner alone, for it holds everything")
        parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")

    def handle(self, *args, file: Path, **options) -> None:
        target = _target(file)
        with report_failure():
            manifest = make_backup(target)
        self._tell(target, manifest, options["json"])

    def _tell(self, target: Path, manifest: dict, as_json: bool) -> None:
        rows, size, heads = sum(manifest["rows"].values()), target.stat().st_size, manifest["heads"]
        uploads = sum(name.startswith("media/") for name in manifest["files"])
        self.stdout.write(f"Wrote {target}: {rows} rows, {uploads} uploaded files, {size} bytes.")
        for slug, head in heads.items():
            self.stdout.write(f"Head of {slug}’s audit log: {head}")
        if as_json:
            report = {"file": str(target), "bytes": size, "rows": rows, "files": uploads, "heads": heads}
            self.stdout.write(json.dumps(report))


def _target(file: Path) -> Path:
    target = file.absolute()
    if target.is_dir() or not target.parent.is_dir():
        raise wrong_usage(f"{target} is a directory, or lies in one that does not exist.")
    if target.resolve().is_relative_to(settings.MEDIA_ROOT.resolve()):
        raise wrong_usage(f"{target} lies among the uploaded files, which are backed up themselves.")
    return target
