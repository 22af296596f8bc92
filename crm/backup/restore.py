"""restore_backup(): restore an installation and verify it against the backup."""

import re
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

import crm
from audit.verify import Verdict, verify
from crm.backup import archive, uploads
from crm.backup.engines import engine
from crm.backup.manifest import known_migrations
from crm.backup.tempdir import temporary_directory
from crm.kit.errors import DomainError, Refused
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.users.models import Workspace

PREFIX = ".restore."  # not a text


class Incomplete(DomainError):
    """The database was restored, but not the uploads."""


def restore_backup(source: Path, replace: str = "") -> dict[str, Any]:
    """Restore the backup into an empty database without uploads, or over the current data if `replace` is its name.

    Return {rows, files, audit: {slug: verdict}}. Raises Refused, changing nothing, for an incomplete or foreign file,
    and if the copy does not match its manifest; Incomplete.
    """
    manifest, loader = archive.read_manifest(source), engine()
    _check_origin(manifest)
    _check_target(loader, replace)
    with (
        temporary_directory(loader.directory(), PREFIX) as database,
        temporary_directory(settings.MEDIA_ROOT.parent, PREFIX) as files,
    ):
        archive.unpack(source, manifest, lambda name: (database if name == loader.MEMBER else files) / name)
        with loader.loaded(database / loader.MEMBER, manifest["rows"]):
            call_command("migrate", interactive=False, verbosity=0)
            audit = _verified(manifest["heads"])
        try:
            uploads.put_back(files / uploads.FOLDER, files / "replaced")
        except Exception as error:  # a bucket has errors of its own
            sentence = _("The database was restored, but the uploaded files weren’t: {reason}.")
            raise Incomplete(sentence.format(reason=getattr(error, "strerror", "") or error)) from None
    return {
        "rows": sum(manifest["rows"].values()),
        "files": len(manifest["files"]) - 1,
        "audit": {slug: {"ok": not verdict.problem, **asdict(verdict)} for slug, verdict in audit.items()},
    }


def _check_origin(manifest: dict[str, Any]) -> None:
    if manifest["engine"] != connection.vendor:
        sentence = _("This is a backup of {engine}, but the database here is {own}.")
        raise Refused(sentence.format(engine=manifest["engine"], own=connection.vendor))
    unknown = set(manifest["migrations"]) - known_migrations()
    if unknown or _numbers(manifest["version"]) > _numbers(crm.__version__):
        versions = {"version": manifest["version"], "own": crm.__version__}
        sentence = _("The backup was made by Throughline {version}, but this is {own}. Update Throughline first.")
        if unknown:
            sentence = _(
                "The backup was made by Throughline {version} with the migration {migration}, but this is {own}. "
                "Update Throughline first."
            )
        raise Refused(sentence.format(**versions, migration=min(unknown, default="")))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _check_target(loader: ModuleType, replace: str) -> None:
    name = loader.name()
    if replace and replace != name:
        raise Refused(_("The database here is named {name}, not {given}.").format(name=name, given=replace))
    if not replace and (uploads.any_upload() or not loader.is_empty()):
        sentence = _("There are uploaded files here. To overwrite them with the backup, add --replace {name}")
        if not loader.is_empty():
            sentence = _("The database {name} isn’t empty. To overwrite it with the backup, add --replace {name}")
        raise Refused(sentence.format(name=name))


def _verified(heads: dict[str, str]) -> dict[str, Verdict]:
    verdicts = {}
    for workspace in Workspace.objects.order_by("slug"):
        with in_workspace(workspace):
            verdicts[workspace.slug] = verify(heads.get(workspace.slug, ""))
    return verdicts
