"""manage.py backup FILE"""

import json
from pathlib import Path

from django.conf import settings

from crm.backup.failures import report_failure
from crm.backup.make import make_backup
from crm.kit import formats
from crm.kit.command import TranslatedCommand
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.command import wrong_usage


class Command(TranslatedCommand):
    """Exit status 0 if the file is complete and on the disk, 1 with the reason, 2 for wrong usage."""

    help = _(
        "Back up the database and the uploaded files to FILE while Throughline is running. An existing FILE is "
        "replaced once the new backup is complete. PostgreSQL needs pg_dump on the PATH. Sessions are not included."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help=gettext("path of the backup, which only its owner can read"))
        parser.add_argument("--json", action="store_true", help=gettext("print a JSON object as the last line"))

    def handle(self, *args, file: Path, **options) -> None:
        target = _target(file)
        with report_failure():
            manifest = make_backup(target)
        self._tell(target, manifest, options["json"])

    def _tell(self, target: Path, manifest: dict, as_json: bool) -> None:
        rows, size, heads = sum(manifest["rows"].values()), target.stat().st_size, manifest["heads"]
        uploads = sum(name.startswith("media/") for name in manifest["files"])
        sentence = gettext("Backup written to {file}. Rows: {rows}. Uploaded files: {files}. Bytes: {bytes}.")
        numbers = {"rows": formats.number(rows), "files": formats.number(uploads), "bytes": formats.number(size)}
        self.stdout.write(sentence.format(file=target, **numbers))
        for slug, head in heads.items():
            self.stdout.write(gettext("Head of the audit log of {workspace}: {head}").format(workspace=slug, head=head))
        if as_json:
            report = {"file": str(target), "bytes": size, "rows": rows, "files": uploads, "heads": heads}
            self.stdout.write(json.dumps(report))


def _target(file: Path) -> Path:
    target = file.absolute()
    if target.is_dir() or not target.parent.is_dir():
        raise wrong_usage(gettext("{file} is a directory, or its directory doesn’t exist.").format(file=target))
    if target.resolve().is_relative_to(settings.MEDIA_ROOT.resolve()):
        sentence = gettext("{file} is among the uploaded files, which are backed up. Choose another directory.")
        raise wrong_usage(sentence.format(file=target))
    return target
