"""The uploads of an installation: a directory, or a bucket that they are copied from and to one by one."""

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage

FOLDER = "media"  # in the backup


def is_local() -> bool:
    return isinstance(default_storage, FileSystemStorage)


def any_upload() -> bool:
    return next(_local() if is_local() else _names(), None) is not None


def copies(work: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name in the backup and a local file of each upload; one from a bucket lasts until the next."""
    if is_local():
        for path in _local():
            yield f"{FOLDER}/{path.relative_to(settings.MEDIA_ROOT).as_posix()}", path
        return
    for name in _names():
        if copy := _fetched(name, work / "upload"):
            yield f"{FOLDER}/{name}", copy


def _local() -> Iterator[Path]:
    return (path for path in sorted(settings.MEDIA_ROOT.rglob("*")) if path.is_file() and not path.is_symlink())


def _fetched(name: str, target: Path) -> Path | None:
    """Copy an upload from the bucket; None if it was removed meanwhile."""
    try:
        with default_storage.open(name) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    except FileNotFoundError:
        return None
    return target


def put_back(new: Path, aside: Path) -> None:
    """Replace all uploads with those of the directory `new`; a directory is swapped, and kept as `aside`."""
    if is_local():
        _swap(new, settings.MEDIA_ROOT, aside)
    else:
        _fill(new)


def _swap(new: Path, target: Path, aside: Path) -> None:
    if target.exists():
        shutil.move(target, aside)
    if new.exists():
        shutil.move(new, target)


def _fill(new: Path) -> None:
    """Copy the files into the bucket, then remove those that the backup doesn't have."""
    wanted = {path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        default_storage.delete(name)  # otherwise it would get another name
        with (new / name).open("rb") as file:
            default_storage.save(name, File(file))
    for name in set(_names()) - wanted:
        default_storage.delete(name)


def _names(folder: str = "") -> Iterator[str]:
    """Yield the names in the bucket."""
    folders, names = default_storage.listdir(folder)
    for name in sorted(names):
        yield str(PurePosixPath(folder, name))
    for each in sorted(folders):
        yield from _names(str(PurePosixPath(folder, each)))
