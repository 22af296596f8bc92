"""make_backup(): one file that restores the whole installation."""

from itertools import chain
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

import crm
from audit.sealing import seal_all
from crm.backup import archive, uploads
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
        members = chain([(copier.MEMBER, work / copier.MEMBER)], uploads.copies(work))
        manifest = archive.write(work / "archive", members, manifest | found)
        archive.put_in_place(work / "archive", target)
    return manifest
