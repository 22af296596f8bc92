"""The backup file: a tar of the database copy and the uploads, with a manifest of hashes.

Members: database.sqlite3 or database.dump, media/…, manifest.json, and last manifest.json.sha256, so that a truncated
file is detected.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from crm.kit.errors import Refused
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

MANIFEST, SEAL = "manifest.json", "manifest.json.sha256"
CONTENT = {"version", "engine", "rows", "migrations", "heads", "files"}
BLOCK = 1 << 20
NOT_WHOLE = _("This isn’t a Throughline backup, or the file is incomplete.")


def write(target: Path, members: Iterable[tuple[str, Path]], manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the archive to the new file `target`, readable only by its owner, and sync it to disk.

    `members` are (name, file). Return the manifest with the files' hashes.
    """
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            files = dict(_add(tar, name, path) for name, path in members)
            manifest = manifest | {"files": files}
            text = json.dumps(manifest, indent=1).encode()
            _add_bytes(tar, MANIFEST, text)
            _add_bytes(tar, SEAL, f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    return manifest


def put_in_place(new: Path, place: Path) -> None:
    """Rename a file atomically, also in case of a power cut."""
    new.replace(place)
    directory = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _add(tar: tarfile.TarFile, name: str, path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        info = tarfile.TarInfo(name)
        info.size, info.mode = os.fstat(file.fileno()).st_size, 0o600
        reader = _Hashing(file)
        tar.addfile(info, reader)  # type: ignore[arg-type]
        return name, reader.digest.hexdigest()


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


class _Hashing:
    """A file object that hashes what is read."""

    def __init__(self, file: IO[bytes]):
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self.file.read(size)
        self.digest.update(block)
        return block


def read_manifest(archive: Path) -> dict[str, Any]:
    """Return the archive's manifest. Raises Refused for an incomplete backup."""
    with _opened(archive) as tar:
        names = tar.getnames()
        if names[-2:] != [MANIFEST, SEAL]:
            raise Refused(NOT_WHOLE)
        text, seal = (_content(tar, tar.getmember(name)).read() for name in (MANIFEST, SEAL))
        if seal.split() != [hashlib.sha256(text).hexdigest().encode(), MANIFEST.encode()]:
            raise Refused(gettext("The manifest of the backup was altered or is damaged."))
        manifest = json.loads(text)
        if not manifest.keys() >= CONTENT:
            raise Refused(NOT_WHOLE)
        if sorted(names) != sorted([*manifest["files"], MANIFEST, SEAL]):
            raise Refused(gettext("The backup doesn’t contain the files that its manifest lists."))
        return manifest


def unpack(archive: Path, manifest: dict[str, Any], place: Callable[[str], Path]) -> None:
    """Write each file of the manifest to `place(name)`.

    Raises Refused for altered files, and for a name that leads elsewhere.
    """
    with _opened(archive) as tar:
        for member in tar:
            if member.name in manifest["files"]:
                _check(member)
                _extract(_content(tar, member), place(member.name), manifest["files"][member.name])


def _check(member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if not member.isreg() or path.is_absolute() or ".." in path.parts:
        sentence = gettext("This isn’t a Throughline backup. Its file “{name}” would be written to another directory.")
        raise Refused(sentence.format(name=member.name))


def _extract(source: IO[bytes], target: Path, expected: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    reader = _Hashing(source)
    with target.open("xb") as file:
        while block := reader.read(BLOCK):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if reader.digest.hexdigest() != expected:
        raise Refused(gettext("“{name}” in the backup was altered or is damaged.").format(name=target.name))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise Refused(NOT_WHOLE)
    return content


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:") as tar:
            yield tar
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError):
        raise Refused(NOT_WHOLE) from None
