"""What can be imported: the importer of each entity, and what upper apps let come in with it by path.

registry.register(ContactImporter)
registry.relate("contact", Relation("lead", "lead", write_leads))  # makes lead.fleet_size importable with contacts
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from crm.kit.actor import Actor
from crm.kit.registry import Hook, Registry
from crm.lists.models import ImportRun

Refused = dict[int, tuple[str, str]]  # line → (column, sentence)


@dataclass(slots=True)
class IncomingRow:
    """A row as typed values by storage key: of the record itself, and of its relations by the key of the link."""

    line: int
    cells: list[str]
    own: dict[str, Any]
    related: dict[str, dict[str, Any]]


@dataclass
class DerivedChanges:
    """What followed from rows beyond what they say: how often, by label ("Leads converted"); and for whom.

    `contacts` are the keys of the contacts concerned.
    """

    counts: Counter[str] = field(default_factory=Counter)
    contacts: set[int] = field(default_factory=set)

    def add(self, label: str, contacts: Collection[int]) -> None:
        self.counts[label] += len(contacts)
        self.contacts |= set(contacts)

    def join(self, other: "DerivedChanges") -> None:
        self.counts += other.counts
        self.contacts |= other.contacts


@dataclass
class BatchResult:
    """What a batch did. When rows are refused, nothing of the batch stands and it is tried again without them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Refused = field(default_factory=dict)
    derived: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


# (values of the related record by the key of the record, the run, what is derived) → a context.
Creating = Callable[[Mapping[int, Mapping[str, Any]], ImportRun, DerivedChanges], AbstractContextManager[None]]


@dataclass(frozen=True)
class Relation:
    """Fields of another entity that come in with a record, over the link field `link`.

    `write` is called in the batch's transaction, after the records are written, with (primary key, row) pairs whose
    `related[link]` holds values; it gives the lines that changed something, and a sentence for each that it refuses.
    None: the importer writes them itself. `note` is what a person should know who maps one of them.
    `parser(feed, by)` says how its cells are read, when not as those of the entity itself are.
    `also` names fields that may be imported although nobody can edit them.
    `creating(values, run, derived)` is entered around the creation of records, with the values of their rows by key:
    what reacts to the creation then makes the related records with them. Such records do not come to `write`.
    """

    link: str
    entity: str
    write: Callable[[Sequence[tuple[int, IncomingRow]], ImportRun, Actor], tuple[set[int], Refused]] | None = None
    parser: Callable[[Any, Actor], Callable[[str], Any]] | None = None
    also: frozenset[str] = frozenset()
    note: str = ""
    creating: Creating | None = None


class Importer(Protocol):
    """How rows become records of one entity; made anew for each run.

    `also`: as of a Relation. `elsewhere`: what the exports of other products call a column, by path. `lede` tells
    whoever uploads a file how its rows are taken.
    """

    entity: str
    also: frozenset[str]
    elsewhere: dict[str, tuple[str, ...]]
    lede: str

    def __init__(self, run: ImportRun, mapping, scratch, by: Actor) -> None: ...

    def prepare(self, sheet) -> None:
        """Look over the file before its first row is written."""

    def parser(self, feed) -> Callable[[str], Any]:
        """How the cells of a column are read. What it gives raises Invalid with a sentence."""

    def notes(self) -> list[str]:
        """What a person should know of this mapping, as sentences."""

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        """Write some rows, in the caller's transaction."""

    def finish(self) -> Iterator[BatchResult]:
        """Write what could not be known before the last row; how the counts change. Each step is a transaction."""


_importers: Registry[type[Importer]] = Registry("importer")
_relations: dict[str, dict[str, Relation]] = {}
Follower = Callable[[Sequence[Any], ImportRun, Actor], DerivedChanges]
_followers: dict[str, list[Follower]] = {}
# Called as hook(run, by) after the last batch of every import but a trial, finished or stopped.
on_end: Hook[Callable[[ImportRun, Actor], None]] = Hook()
# Called as hook(run, request) for the report of every import: gives safe HTML, or ''.
on_report: Hook[Callable[[ImportRun, Any], str]] = Hook()


def register(importer: type[Importer]) -> None:
    """Make an entity importable."""
    _importers.add(importer.entity, importer)


def relate(entity: str, relation: Relation) -> None:
    """Let fields of a related record come in with `entity`."""
    _relations.setdefault(entity, {})[relation.link] = relation


def on_written(entity: str) -> Callable[[Follower], Follower]:
    """Decorate: call `follower(records, run, by)` in the transaction of each batch, with the records of its rows."""

    def register(follower: Follower) -> Follower:
        _followers.setdefault(entity, []).append(follower)
        return follower

    return register


def tell_written(entity: str, records: Sequence[Any], run: ImportRun, by: Actor) -> DerivedChanges:
    derived = DerivedChanges()
    for follower in _followers.get(entity, ()) if records else ():
        derived.join(follower(records, run, by))
    return derived


def report_parts(run: ImportRun, request: Any) -> list[str]:
    """What upper apps have to say about an import."""
    return [text for part in on_report if (text := part(run, request))]


def tell_end(run: ImportRun, by: Actor) -> None:
    for listener in on_end:
        listener(run, by)


def importer(entity: str) -> type[Importer]:
    """The importer of an entity. Raises KeyError."""
    return _importers[entity]


def relations(entity: str) -> dict[str, Relation]:
    return _relations.get(entity, {})
