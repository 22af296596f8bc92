"""What an undo comes to, and what other apps may say to it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils.functional import SimpleLazyObject
from django.utils.translation import override

from audit.models import Entry
from crm.kit.actor import Actor
from crm.kit.registry import Hook
from crm.kit.translation import gettext_lazy as _

GONE = _("The record was permanently deleted and can’t be restored.")
MOVED_TOGETHER = _("{field} was kept because of later changes.")
NOT_YOURS = _("You no longer have permission to change this record.")
POINTED_AT = _("Other records are linked to it.")
SETTING = _("Undo settings changes on the settings page itself.")
TAKEN = _("Another record now uses this email, external ID or position.")
TOUCHED = _("The record has changed since then.")


def _in_every_language(*sentences: str) -> Iterator[str]:
    for code, _name in settings.LANGUAGES:
        with override(code):
            yield from map(str, sentences)


# What may end when more of the change is undone; in all languages, as it is compared with what was stored.
PASSING = SimpleLazyObject(lambda: frozenset(_in_every_language(POINTED_AT, TAKEN)))


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
        self.kept += [KeptRecord(entity, pk, str(why)) for pk in sorted(pks)]


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
# value, what is wrong, as a sentence in which {field} stands for the field's label).
on_check: Hook[Checker] = Hook()
