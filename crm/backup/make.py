"""make_backup(): one file that restores the whole installation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

import crm
from audit.sealing import seal_all
from crm.backup import archive
from crm.backup.engines import engine
from crm.backup.tempdir import temporary_directory
from crm.kit.errors import Refused
from crm.kit.migrated import is_migrated
from crm.kit.translation import gettext as _


def make_backup(target: Path) -> dict[str, Any]:
    """Write a backup to `target`, replacing it, while users keep working. Return its manifest.

    If interrupted, `target` is either the old or the complete new backup. Uploads are read after the database, so that
    all uploads it names exist. Raises Refused.
    """
    copier = engine()
    if copier.is_empty():
        raise Refused(_("There’s nothing to back up. The database is empty."))
    if is_migrated():
        seal_all()
    with temporary_directory(target.parent, f".{target.name}.") as work:
        found = copier.dump(work / copier.MEMBER)
        manifest = {"version": crm.__version__, "engine": connection.vendor, "made_at": timezone.now().isoformat()}
        manifest = archive.write(work / "archive", _members(work / copier.MEMBER), manifest | found)
        archive.put_in_place(work / "archive", target)
    return manifest


def _members(copy: Path) -> Iterator[tuple[str, Path]]:
    yield copy.name, copy
    for path in sorted(settings.MEDIA_ROOT.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield f"media/{path.relative_to(settings.MEDIA_ROOT).as_posix()}", path
