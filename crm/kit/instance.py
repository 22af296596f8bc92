"""One running instance per SQLite file, on a local disk."""

import fcntl
from pathlib import Path
from typing import TextIO

from crm.kit.translation import gettext as _

NETWORK = {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
MOUNTS = Path("/proc/self/mounts")


class AlreadyRunning(RuntimeError):
    """Another instance serves this database file."""


# Why: docs/decisions/0059-one-instance-per-sqlite-file.md
def claim(database: Path) -> TextIO:
    """Lock a SQLite file for this process and its children, while any of them keeps the returned file open.

    Commands take no lock: they may write beside a running instance. Raises AlreadyRunning.
    """
    database = database.resolve()  # a symbolic link refers to the same file
    lock = database.with_name(database.name + ".lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        sentence = _("Throughline is already running on {database}. Stop it, or set DATABASE_URL.")
        raise AlreadyRunning(sentence.format(database=database)) from None
    return lock


def network_filesystem(path: Path) -> str:
    """Return the network file system type of `path`, '' if local or unknown."""
    if not MOUNTS.exists():
        return ""
    kinds = {_unescape(line.split()[1]): line.split()[2] for line in MOUNTS.read_text().splitlines()}
    resolved = path.resolve()
    mounted = next((kinds[str(place)] for place in (resolved, *resolved.parents) if str(place) in kinds), "")
    return mounted if mounted in NETWORK else ""


def _unescape(mount_point: str) -> str:
    return mount_point.replace(r"\040", " ").replace(r"\011", "\t").replace(r"\134", "\\")
