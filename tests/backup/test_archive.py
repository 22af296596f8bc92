"""Reading of backup files that may be damaged or malicious."""

import hashlib
import io
import json
import tarfile

import pytest
from django.db import connection

import crm
from crm.backup import archive
from crm.backup.engines import engine
from crm.backup.restore import restore_backup
from crm.kit.errors import Refused

EMPTY = {"rows": {}, "migrations": [], "heads": {}, "engine": "sqlite", "version": crm.__version__}


@pytest.fixture
def whole(tmp_path):
    """Return a valid archive of a database file and two uploads."""
    files = {"database.sqlite3": b"d" * 5000, "media/a.webp": b"a" * 700, "media/b/ü.webp": b""}
    for name, content in files.items():
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_bytes(content)
    archive.write(tmp_path / "whole.tar", [(name, tmp_path / "from" / name) for name in files], EMPTY)
    return tmp_path / "whole.tar"


def unpacked(file, directory) -> dict[str, bytes]:
    archive.unpack(file, archive.read_manifest(file), lambda name: directory / name)
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_what_is_written_is_read_back(whole, tmp_path):
    assert unpacked(whole, tmp_path / "to") == {
        "database.sqlite3": b"d" * 5000,
        "media/a.webp": b"a" * 700,
        "media/b/ü.webp": b"",
    }
    manifest = archive.read_manifest(whole)
    assert {key: manifest[key] for key in EMPTY} == EMPTY


def test_it_can_be_checked_with_the_tools_of_every_system(whole, tmp_path):
    with tarfile.open(whole) as tar:
        seal, name = tar.extractfile(archive.SEAL).read().decode().split()
        assert hashlib.sha256(tar.extractfile(name).read()).hexdigest() == seal
        files = json.load(tar.extractfile(name))["files"]
        assert all(hashlib.sha256(tar.extractfile(n).read()).hexdigest() == digest for n, digest in files.items())


@pytest.mark.once
def test_wherever_it_is_cut_off_it_is_refused(whole, tmp_path):
    content, cut = whole.read_bytes(), tmp_path / "cut.tar"
    end = content.rindex(archive.SEAL.encode()) + tarfile.BLOCKSIZE
    for length in range(0, end, 97):
        cut.write_bytes(content[:length])
        with pytest.raises(Refused):
            unpacked(cut, tmp_path / f"to{length}")


@pytest.mark.once
def test_wherever_a_bit_is_turned_it_is_refused_or_makes_no_difference(whole, tmp_path):
    content, good = whole.read_bytes(), unpacked(whole, tmp_path / "good")
    for place in range(0, len(content), 89):
        turned = tmp_path / "turned.tar"
        turned.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        try:
            assert unpacked(turned, tmp_path / f"to{place}") == good
        except Refused:
            pass


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 10240, b"SQLite format 3\0" * 100])
def test_any_other_file_is_refused(content, tmp_path):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(Refused, match="isn’t a Throughline backup"):
        archive.read_manifest(tmp_path / "other")


def made(path, *members: tuple[tarfile.TarInfo, bytes], **facts):
    """Create an archive with a matching manifest for any members."""
    files = {info.name: hashlib.sha256(content).hexdigest() for info, content in members}
    manifest = json.dumps(EMPTY | {"files": files} | facts).encode()
    seal = f"{hashlib.sha256(manifest).hexdigest()}  {archive.MANIFEST}\n".encode()
    with tarfile.open(path, "w") as tar:
        for info, content in (*members, (member(archive.MANIFEST), manifest), (member(archive.SEAL), seal)):
            if info.isreg():
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def member(name: str, **attributes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


ELSEWHERE = {
    "up": [member("media/../../evil")],
    "absolute": [member("/tmp/evil")],
    "symbolic link": [member("media/x", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
    "hard link": [member("media/x", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "device": [member("media/x", type=tarfile.CHRTYPE)],
    "through a link": [
        member("media/out", type=tarfile.SYMTYPE, linkname="/tmp"),
        member("media/out/evil"),
    ],
}


@pytest.mark.parametrize("members", ELSEWHERE.values(), ids=ELSEWHERE)
def test_nothing_is_written_elsewhere(members, tmp_path):
    file = made(tmp_path / "evil.tar", *((info, b"") for info in members))
    with pytest.raises(Refused, match="would be written to another directory"):
        unpacked(file, tmp_path / "to")
    assert not [path for path in tmp_path.rglob("*evil*") if path != file]


def test_a_member_twice_or_one_that_the_manifest_does_not_name_is_refused(tmp_path):
    twice = made(tmp_path / "twice.tar", (member("media/x"), b"1"), (member("media/x"), b"1"))
    more = made(tmp_path / "more.tar", (member("media/x"), b"1"), files={})
    for file in (twice, more):
        with pytest.raises(Refused, match="doesn’t contain the files that its manifest lists"):
            archive.read_manifest(file)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts, sentence",
    [
        ({"engine": "oracle"}, "This is a backup of oracle, but the database here is"),
        ({"version": "99.1.0"}, "The backup was made by Throughline 99.1.0, but this is"),
        ({"migrations": ["audit.9999_later"]}, "with the migration audit.9999_later, but this is"),
    ],
)
def test_what_this_release_cannot_read_is_refused(facts, sentence, tmp_path):
    file = made(tmp_path / "other.tar", (member(engine().MEMBER), b""), **{"engine": connection.vendor} | facts)
    with pytest.raises(Refused, match=sentence):
        restore_backup(file)
