"""verify(): whether the log is still what was sealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Exists, OuterRef

from audit.chain import ERASABLE, KEPT, START, content_hash, seal_hash
from audit.models import Entry, Seal

CHUNK = 2000
NOTHING = (None,) * len(ERASABLE)


@dataclass
class Verdict:
    """How many entries are sealed in good order, how many wait for it, the hash of the last seal, and what is wrong.

    `entry` is the id of the first bad entry, None when the chain as a whole is; `problem` is '' when nothing is wrong.
    """

    sealed: int = 0
    waiting: int = 0
    head: str = START
    entry: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class _Link:
    """A seal with the entry that it is over: the values of KEPT, of ERASABLE, and `erased_by`. None: not there."""

    seq: int
    entry_id: int
    content: str
    previous: str
    hash: str
    entry: tuple | None


def verify(head: str = "") -> Verdict:
    """Follow the chain of the workspace in scope to its end, or to the first entry that is not as it was sealed.

    `head`, a hash that was written down elsewhere, must be in the chain: that tells when its end was cut off.
    """
    unsealed = Entry.objects.filter(~Exists(Seal.objects.filter(entry_id=OuterRef("id"))))
    verdict, met = Verdict(waiting=unsealed.count()), not head or head == START
    for link, erasing in _links():
        verdict.problem = _problem(link, verdict, erasing)
        if verdict.problem:
            verdict.entry = link.entry_id
            return verdict
        verdict.sealed, verdict.head = link.seq, link.hash
        met = met or link.hash == head
    if not met:
        verdict.problem = "The head given is not in the chain: its end was cut off, or it was written anew."
    return verdict


def _links() -> Iterator[tuple[_Link, set[int]]]:
    """The chain in its order; with each link the ids of the ERASE entries that it may name."""
    seals = Seal.objects.order_by("seq").values_list("seq", "entry_id", "content", "previous", "hash")
    found = seals.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        rows = Entry.objects.filter(pk__any_of=[seal[1] for seal in chunk]).order_by()
        entries = {row[0]: row for row in rows.values_list(*KEPT, *ERASABLE, "erased_by")}
        erasing = _erasing({row[-1] for row in entries.values()} - {None})
        for seq, entry_id, content, previous, own in chunk:
            yield _Link(seq, entry_id, content, previous, own, entries.get(entry_id)), erasing


def _erasing(ids: set[int]) -> set[int]:
    return set(Entry.objects.filter(pk__any_of=ids, action="ERASE").values_list("pk", flat=True)) if ids else set()


def _problem(link: _Link, before: Verdict, erasing: set[int]) -> str:
    """What is wrong with a link that follows `before`; '' for nothing."""
    name = f"Entry {link.entry_id}"
    if link.seq != before.sealed + 1:
        return f"{name}: seals are missing before its own, number {link.seq}; the one before is number {before.sealed}."
    if link.previous != before.head:
        return f"{name}: its seal, number {link.seq}, does not follow the one before it; seals were swapped or altered."
    if link.entry is None:
        return f"{name} was removed; its seal, number {link.seq}, is still there."
    kept, erasable, erased_by = link.entry[: len(KEPT)], link.entry[len(KEPT) : -1], link.entry[-1]
    if erasable == NOTHING and erased_by not in erasing:
        return f"{name} was erased without an ERASE entry."
    content = content_hash(erasable)
    if erasable == NOTHING and erased_by in erasing:
        content = link.content
    elif erasable == NOTHING and content != link.content:
        return f"{name} was erased without an ERASE entry."
    elif content != link.content or erased_by is not None:
        return f"{name} was altered: its values, note or salt are not those that were sealed."
    if seal_hash(link.previous, link.seq, kept, content) != link.hash:
        return f"{name} was altered, or its seal was."
    return ""
