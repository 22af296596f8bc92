"""What can be imported: the importer of each entity, and what upper apps let come in with it by path.

registry.register(ContactImporter)
registry.relate("contact", Relation("lead", "lead", write_leads))  # makes lead.fleet_size importable with contacts
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from crm.kit.actor import Actor
from crm.lists.models import ImportRun

Refused = dict[int, tuple[str, str]]  # line → (column, sentence)


@dataclass(slots=True)
class Incoming:
    """A row as typed values by storage key: of the record itself, and of its relations by the key of the link."""

    line: int
    cells: list[str]
    own: dict[str, Any]
    related: dict[str, dict[str, Any]]


@dataclass
class Written:
    """What a batch did. When rows are refused, nothing of the batch stands and it is tried again without them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: Refused = field(default_factory=dict)


@dataclass(frozen=True)
class Relation:
    """Fields of another entity that come in with a record, over the link field `link`.

    `write` is called in the batch's transaction, after the records are written, with (primary key, row) pairs whose
    `related[link]` holds values; it gives the lines that changed something, and a sentence for each that it refuses.
    None: the importer writes them itself. `note` is what a person should know who maps one of them.
    `parser(feed, by)` says how its cells are read, when not as those of the entity itself are.
    `also` names fields that may be imported although nobody can edit them.
    """

    link: str
    entity: str
    write: Callable[[Sequence[tuple[int, Incoming]], ImportRun, Actor], tuple[set[int], Refused]] | None = None
    parser: Callable[[Any, Actor], Callable[[str], Any]] | None = None
    also: frozenset[str] = frozenset()
    note: str = ""


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

    def write(self, rows: Sequence[Incoming]) -> Written:
        """Write some rows, in the caller's transaction."""

    def finish(self) -> Iterator[Written]:
        """Write what could not be known before the last row; how the counts change. Each step is a transaction."""


_importers: dict[str, type[Importer]] = {}
_relations: dict[str, dict[str, Relation]] = {}
_followers: dict[str, list[Callable[[Sequence[Any], ImportRun, Actor], None]]] = {}
_listeners: list[Callable[[ImportRun, Actor], None]] = []
_parts: list[Callable[[ImportRun, Any], str]] = []


def register(importer: type[Importer]) -> None:
    """Make an entity importable."""
    _importers[importer.entity] = importer


def relate(entity: str, relation: Relation) -> None:
    """Let fields of a related record come in with `entity`."""
    _relations.setdefault(entity, {})[relation.link] = relation


def on_written(entity: str, follower: Callable[[Sequence[Any], ImportRun, Actor], None]) -> None:
    """Call `follower(records, run, by)` in the transaction of each batch with the records that it made or changed."""
    _followers.setdefault(entity, []).append(follower)


def tell_written(entity: str, records: Sequence[Any], run: ImportRun, by: Actor) -> None:
    """Call them."""
    for follower in _followers.get(entity, ()) if records else ():
        follower(records, run, by)


def on_report(part: Callable[[ImportRun, Any], str]) -> None:
    """Show `part(run, request)`, safe HTML or '', on the report of every import."""
    _parts.append(part)


def report_parts(run: ImportRun, request: Any) -> list[str]:
    """What upper apps have to say about an import."""
    return [text for part in _parts if (text := part(run, request))]


def on_end(listener: Callable[[ImportRun, Actor], None]) -> None:
    """Call `listener(run, by)` after the last batch of every import but a trial, finished or stopped."""
    _listeners.append(listener)


def tell_end(run: ImportRun, by: Actor) -> None:
    """Call them."""
    for listener in _listeners:
        listener(run, by)


def importer(entity: str) -> type[Importer]:
    """The importer of an entity. Raises KeyError."""
    return _importers[entity]


def relations(entity: str) -> dict[str, Relation]:
    """The relations of an entity by the key of their link."""
    return _relations.get(entity, {})
