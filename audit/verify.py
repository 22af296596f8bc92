"""verify(): check the log against its seals."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q

from audit.chain import ERASABLE, KEPT, START, content_hash, seal_hash
from audit.models import Entry, Seal
from crm.kit import formats
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext

CHUNK = 2000
NOTHING = (None,) * len(ERASABLE)
PERSON = KEPT.index("person")


@dataclass
class Verdict:
    """The numbers of sealed and waiting entries, the last seal's hash, and the problem found.

    `entry` is the id of the first bad entry, None if the chain itself is bad; `problem` is '' for a valid log.
    `erased`: id of an ERASE entry → how many entries it covers. The chain cannot prove that an erasure was requested.
    """

    sealed: int = 0
    waiting: int = 0
    head: str = START
    entry: int | None = None
    problem: str = ""
    erased: dict[int, int] = field(default_factory=dict)


class _Erasure(NamedTuple):
    """An ERASE entry: its person, the number of entries it covers, and its problem or ''."""

    person: int | None
    entries: int
    problem: str


@dataclass(frozen=True)
class _Link:
    """A seal with its entry's values of KEPT, ERASABLE and `erased_by`; None if missing."""

    seq: int
    entry_id: int
    content: str
    previous: str
    hash: str
    entry: tuple | None


def verify(head: str = "") -> Verdict:
    """Verify the chain of the workspace in scope up to its end or the first bad entry.

    `head`, a hash stored elsewhere, must be in the chain: this detects a truncated end.
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
        verdict.problem = _("The given head isn’t in the chain. The log was truncated or rewritten.")
    return verdict


def _links(erasing: dict[int, _Erasure]) -> Iterator[_Link]:
    """Yield the chain in order; ERASE entries that a link may name are in `erasing` by then."""
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
    """Check that an ERASE entry covers the number of entries it states, and all of its person's until then."""
    own, others = Q(erased_by=pk), Q(erased_by__isnull=True) & ~Q(action="ERASE")
    theirs = Entry.objects.filter(person=person, pk__lt=pk).aggregate(own=Count("pk", own), left=Count("pk", others))
    problem = ""
    if not said or said.get("entries") != theirs["own"]:
        sentence = ngettext(
            "ERASE entry {entry} stands for {count} entry, which isn’t what it states.",
            "ERASE entry {entry} stands for {count} entries, which isn’t what it states.",
            theirs["own"],
        )
        problem = sentence.format(entry=pk, count=formats.number(theirs["own"]))
    elif theirs["left"]:
        sentence = ngettext(
            "ERASE entry {entry} left {count} entry of its contact unerased.",
            "ERASE entry {entry} left {count} entries of its contact unerased.",
            theirs["left"],
        )
        problem = sentence.format(entry=pk, count=formats.number(theirs["left"]))
    return _Erasure(person, theirs["own"], problem)


def _problem(link: _Link, before: Verdict, erasing: dict[int, _Erasure]) -> str:
    """Return the problem of a link that follows `before`, or ''."""
    numbers = {"entry": link.entry_id, "seal": link.seq, "before": before.sealed}
    if link.seq != before.sealed + 1:
        sentence = _("Entry {entry}: seals are missing between its seal, number {seal}, and number {before}.")
        return sentence.format(**numbers)
    if link.previous != before.head:
        sentence = _("Entry {entry}: its seal, number {seal}, doesn’t follow the previous one. Seals were altered.")
        return sentence.format(**numbers)
    if link.entry is None:
        return _("Entry {entry} was removed. Its seal, number {seal}, still exists.").format(**numbers)
    kept, erasable, erased_by = link.entry[: len(KEPT)], link.entry[len(KEPT) : -1], link.entry[-1]
    content = content_hash(erasable)
    if erasable == NOTHING:
        if problem := _unlike_an_erasure(link.entry_id, kept[PERSON], erasing.get(erased_by)):
            return problem
        content = link.content
    elif content != link.content or erased_by is not None:
        return _("Entry {entry} was altered. Its values, note or salt differ from the sealed ones.").format(**numbers)
    if seal_hash(link.previous, link.seq, kept, content) != link.hash:
        return _("Entry {entry} was altered, or its seal was.").format(**numbers)
    return ""


def _unlike_an_erasure(entry: int, person: int | None, erasure: _Erasure | None) -> str:
    """Return why a person's entry may not be empty, or ''."""
    if erasure is None:
        return _("Entry {entry} was erased without an ERASE entry.").format(entry=entry)
    if person is None or erasure.person != person:
        return _("Entry {entry} was erased under the ERASE entry of another contact.").format(entry=entry)
    if erasure.problem:
        return _("Entry {entry} was erased against the rules. {problem}").format(entry=entry, problem=erasure.problem)
    return ""
