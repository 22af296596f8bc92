"""verify(): whether the log is still what was sealed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q

from audit.chain import ERASABLE, KEPT, START, content_hash, seal_hash
from audit.models import Entry, Seal

CHUNK = 2000
NOTHING = (None,) * len(ERASABLE)
PERSON = KEPT.index("person")


@dataclass
class Verdict:
    """How many entries are sealed in good order, how many wait for it, the hash of the last seal, and what is wrong.

    `entry` is the id of the first bad entry, None when the chain as a whole is; `problem` is '' when nothing is wrong.
    `erased`: id of an ERASE entry → how many entries it stands for. Whether each was asked for the chain cannot tell.
    """

    sealed: int = 0
    waiting: int = 0
    head: str = START
    entry: int | None = None
    problem: str = ""
    erased: dict[int, int] = field(default_factory=dict)


class _Erasure(NamedTuple):
    """An ERASE entry: whose values it stands for, of how many entries, and what is wrong with it ('' for nothing)."""

    person: int | None
    entries: int
    problem: str


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
    erasing: dict[int, _Erasure] = {}
    for link in _links(erasing):
        verdict.problem = _problem(link, verdict, erasing)
        if verdict.problem:
            verdict.entry = link.entry_id
            return verdict
        verdict.sealed, verdict.head = link.seq, link.hash
        met = met or link.hash == head
    verdict.erased = {pk: erasure.entries for pk, erasure in erasing.items()}
    if not met:
        verdict.problem = "The head given is not in the chain: its end was cut off, or it was written anew."
    return verdict


def _links(erasing: dict[int, _Erasure]) -> Iterator[_Link]:
    """The chain in its order; the ERASE entries that a link may name are in `erasing` by then."""
    seals = Seal.objects.order_by("seq").values_list("seq", "entry_id", "content", "previous", "hash")
    found = seals.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        rows = Entry.objects.filter(pk__any_of=[seal[1] for seal in chunk]).order_by()
        entries = {row[0]: row for row in rows.values_list(*KEPT, *ERASABLE, "erased_by")}
        erasing |= _erasures({row[-1] for row in entries.values()} - {None} - erasing.keys())
        for seq, entry_id, content, previous, own in chunk:
            yield _Link(seq, entry_id, content, previous, own, entries.get(entry_id))


def _erasures(ids: set[int]) -> dict[int, _Erasure]:
    rows = Entry.objects.filter(pk__any_of=ids, action="ERASE").values_list("pk", "person", "new_values") if ids else ()
    return {pk: _erasure(pk, person, said) for pk, person, said in rows}


def _erasure(pk: int, person: int | None, said: dict | None) -> _Erasure:
    """Whether an ERASE entry stands for as many entries as it says, and for all that its person had until then."""
    own, others = Q(erased_by=pk), Q(erased_by__isnull=True) & ~Q(action="ERASE")
    theirs = Entry.objects.filter(person=person, pk__lt=pk).aggregate(own=Count("pk", own), left=Count("pk", others))
    problem = ""
    if not said or said.get("entries") != theirs["own"]:
        problem = f"ERASE entry {pk} stands for {theirs['own']} entries, which is not what it says."
    elif theirs["left"]:
        problem = f"ERASE entry {pk} left {theirs['left']} entries of its person as they were."
    return _Erasure(person, theirs["own"], problem)


def _problem(link: _Link, before: Verdict, erasing: dict[int, _Erasure]) -> str:
    """What is wrong with a link that follows `before`; '' for nothing."""
    name = f"Entry {link.entry_id}"
    if link.seq != before.sealed + 1:
        return f"{name}: seals are missing before its own, number {link.seq}; the one before is number {before.sealed}."
    if link.previous != before.head:
        return f"{name}: its seal, number {link.seq}, does not follow the one before it; seals were swapped or altered."
    if link.entry is None:
        return f"{name} was removed; its seal, number {link.seq}, is still there."
    kept, erasable, erased_by = link.entry[: len(KEPT)], link.entry[len(KEPT) : -1], link.entry[-1]
    content = content_hash(erasable)
    if erasable == NOTHING:
        if problem := _unlike_an_erasure(kept[PERSON], erasing.get(erased_by)):
            return f"{name} was erased {problem}"
        content = link.content
    elif content != link.content or erased_by is not None:
        return f"{name} was altered: its values, note or salt are not those that were sealed."
    if seal_hash(link.previous, link.seq, kept, content) != link.hash:
        return f"{name} was altered, or its seal was."
    return ""


def _unlike_an_erasure(person: int | None, erasure: _Erasure | None) -> str:
    """Why an entry of a person may not be empty, to end the sentence that it is; '' where it may."""
    if erasure is None:
        return "without an ERASE entry."
    if person is None or erasure.person != person:
        return "under the ERASE entry of another person."
    return f"against the rules: {erasure.problem}" if erasure.problem else ""
