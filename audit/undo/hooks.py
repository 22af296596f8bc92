"""What an undo comes to, and what other apps may say to it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from audit.models import Entry
from crm.kit.actor import Actor
from crm.kit.registry import Hook

GONE = "It was removed for good: there is nothing to put back."
MOVED_TOGETHER = "stays with what has happened since."
NOT_YOURS = "It is not yours to change any more."
POINTED_AT = "Other records point to it."
SETTING = "Settings are changed back where they were made."
TAKEN = "Another record uses its e-mail, external ID or place now."
TOUCHED = "Something has happened to it since."
PASSING = frozenset({POINTED_AT, TAKEN})  # what may end when more of the change is undone


class KeptRecord(NamedTuple):
    """A record of which something stays as the change left it, and why."""

    entity: str
    pk: int
    why: str


@dataclass
class Undone:
    """How many entries were inverted, and what was kept."""

    reverted: int = 0
    kept: list[KeptRecord] = field(default_factory=list)

    def keep(self, entity: str, pks: Iterable[int], why: str) -> None:
        self.kept += [KeptRecord(entity, pk, why) for pk in sorted(pks)]


PutBack = Mapping[int, set[str]]  # id → the keys that were put back
Listener = Callable[[UUID, str, PutBack, Actor], None]
Rule = Callable[[str, Sequence[Entry], Actor], Mapping[int, str]]
Taker = Callable[[UUID, Collection[int], Actor], int]
Values = Mapping[str, Sequence[Any]]  # key → distinct values, none of them empty
Checker = Callable[[str, Values, UUID, Actor], Iterable[tuple[str, Any, str]]]
# What an app derives from records is updated: called with (change, entity, what was put back, by).
on_undo: Hook[Listener] = Hook()
# Records that stay as they are: called with (entity, entries, by), gives id → why.
hold_back: Hook[Rule] = Hook()
# Rows that a change made without an entry for each are removed: called with (change, contacts, by) before the entries
# of those contacts are inverted; gives how many.
on_take_back: Hook[Taker] = Hook()
# Which old values are no longer valid, as forms would say: called with (entity, values by key, change, by); gives (key,
# value, what is wrong, as the end of a sentence).
on_check: Hook[Checker] = Hook()
