"""Importable entities: an importer for each, plus related fields that upper apps add by path.

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
    """A row as typed values by storage key: the record's own, and its relations' by the key of the link."""

    line: int
    cells: list[str]
    own: dict[str, Any]
    related: dict[str, dict[str, Any]]


@dataclass
class DerivedChanges:
    """Side effects of imported rows, counted by label ("Leads converted").

    `contacts` are the keys of the contacts affected.
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
    """The result of a batch. If rows are rejected, the batch is rolled back and retried without them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Refused = field(default_factory=dict)
    derived: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


# (related record's values by the record's key, run, derived changes) → a context.
Creating = Callable[[Mapping[int, Mapping[str, Any]], ImportRun, DerivedChanges], AbstractContextManager[None]]


@dataclass(frozen=True)
class Relation:
    """Fields of another entity imported with a record over the link field `link`.

    `write` runs in the batch's transaction, after the records are written, with (primary key, row) pairs that have
    values in `related[link]`; it returns the changed lines and a message for each rejected one. None: the importer
    writes them itself. `note` is a hint for users who map such a field. `parser(feed, by)` replaces the entity's own
    cell parser. `also` names importable fields that users cannot edit, `closed` fields that only the entity's own
    import sets. `creating(values, run, derived)` wraps the creation of records, with the values of their rows by key:
    reactions to the creation then create the related records with these values, and such records skip `write`.
    """

    link: str
    entity: str
    write: Callable[[Sequence[tuple[int, IncomingRow]], ImportRun, Actor], tuple[set[int], Refused]] | None = None
    parser: Callable[[Any, Actor], Callable[[str], Any]] | None = None
    also: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    note: str = ""
    creating: Creating | None = None


class Importer(Protocol):
    """Importer of one entity's rows, instantiated per run.

    `also`: as in Relation. `elsewhere`: column names in other products' exports, by path. `lede` explains the import to
    the user who uploads a file.
    """

    entity: str
    also: frozenset[str]
    elsewhere: dict[str, tuple[str, ...]]
    lede: str

    def __init__(self, run: ImportRun, mapping, scratch, by: Actor) -> None: ...

    def prepare(self, sheet) -> None:
        """Scan the file before its first row is written."""

    def parser(self, feed) -> Callable[[str], Any]:
        """Return the parser of a column's cells. The parser raises Invalid with a message."""

    def notes(self) -> list[str]:
        """Return hints on this mapping for the user, as sentences."""

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        """Write some rows in the caller's transaction."""

    def finish(self) -> Iterator[BatchResult]:
        """Write what depends on the whole file, yielding changes to the counts. Each step is a transaction."""


_importers: Registry[type[Importer]] = Registry("importer")
_relations: dict[str, dict[str, Relation]] = {}
Follower = Callable[[Sequence[Any], ImportRun, Actor], DerivedChanges]
_followers: dict[str, list[Follower]] = {}
# Called as hook(run, by) after the last batch of every import except previews, finished or stopped.
on_end: Hook[Callable[[ImportRun, Actor], None]] = Hook()
# Called as hook(run, request) for the report of every import; returns safe HTML or ''.
on_report: Hook[Callable[[ImportRun, Any], str]] = Hook()


def register(importer: type[Importer]) -> None:
    _importers.add(importer.entity, importer)


def relate(entity: str, relation: Relation) -> None:
    """Make a related record's fields importable with `entity`."""
    _relations.setdefault(entity, {})[relation.link] = relation


def on_written(entity: str) -> Callable[[Follower], Follower]:
    """Decorate `follower(records, run, by)` to be called in each batch's transaction with the records of its rows."""

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
    """Return the parts of an import's report that come from upper apps."""
    return [text for part in on_report if (text := part(run, request))]


def tell_end(run: ImportRun, by: Actor) -> None:
    for listener in on_end:
        listener(run, by)


def importer(entity: str) -> type[Importer]:
    """Return the importer class of an entity. Raises KeyError."""
    return _importers[entity]


def relations(entity: str) -> dict[str, Relation]:
    return _relations.get(entity, {})
