"""Results of an undo, and hooks for other apps."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from audit.models import Entry
from crm.kit.actor import Actor
from crm.kit.registry import Hook
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import speak

GONE = _("The record was permanently deleted and can’t be restored.")
MOVED_TOGETHER = _("{field} was kept because of later changes.")
NOT_YOURS = _("You no longer have permission to change this record.")
POINTED_AT = _("Other records are linked to it.")
SETTING = _("Undo settings changes on the settings page itself.")
TAKEN = _("Another record now uses this email, domain, external ID or position.")
TOUCHED = _("The record has changed since then.")


def _in_every_language(*sentences: str) -> Iterator[str]:
    for code, _name in settings.LANGUAGES:
        with speak(code):
            yield from map(str, sentences)


# Reasons that may pass as more of the change is undone; in all languages, to compare with stored ones.
PASSING = SimpleLazyObject(lambda: frozenset(_in_every_language(POINTED_AT, TAKEN)))


class KeptRecord(NamedTuple):
    """A record on which the undo kept a change, with the reason."""

    entity: str
    pk: int
    why: str


@dataclass
class Undone:
    """The number of reverted entries, and the kept records."""

    reverted: int = 0
    kept: list[KeptRecord] = field(default_factory=list)

    def keep(self, entity: str, pks: Iterable[int], why: str) -> None:
        self.kept += [KeptRecord(entity, pk, str(why)) for pk in sorted(pks)]


PutBack = Mapping[int, set[str]]  # id → the keys that were put back
Listener = Callable[[UUID, str, PutBack, Actor], None]
Rule = Callable[[str, Sequence[Entry], Actor], Mapping[int, str]]
Taker = Callable[[UUID, Collection[int], Actor], int]
Values = Mapping[str, Sequence[Any]]  # key → distinct values, without empty ones
Checker = Callable[[str, Values, UUID, Actor], Iterable[tuple[str, Any, str]]]
# Undoes a change that only makes sense as a whole, e.g. a field's conversion: called with (change, by=), after
# check_undo(); returns None for other changes.
in_one_piece: Hook[Callable[..., Undone | None]] = Hook()
# Puts settings back before the records of their change: called with (change, by), returns how many.
on_settings: Hook[Callable[[UUID, Actor], int]] = Hook()
# Takes locks that must precede those of the records: called with (entries).
on_lock: Hook[Callable[[Sequence[Entry]], None]] = Hook()
# Updates data derived from records: called with (change, entity, what was put back, by).
on_undo: Hook[Listener] = Hook()
# Records to keep unchanged: called with (entity, entries, by), returns id → reason.
hold_back: Hook[Rule] = Hook()
# Removes rows that a change made without entries: called with (change, contacts, by) before the contacts' entries are
# reverted; returns how many.
on_take_back: Hook[Taker] = Hook()
# Old values no longer valid by form rules: called with (entity, values by key, change, by); returns (key, value,
# message with {field} for the field's label).
on_check: Hook[Checker] = Hook()
