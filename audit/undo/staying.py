"""Records that an undo keeps because of later changes, and what depends on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from audit.models import Entry
from audit.subjects import person_subject, subject
from audit.undo.hooks import KeptRecord


@dataclass(frozen=True)
class StayingRecords:
    """Records made by the change that stay, with reasons, and contacts whose moves stay.

    A record stays with all effects of the change on it. A staying contact keeps records made for it. A staying lead or
    opportunity keeps the moves of its contact, and of the contact's other leads and opportunities: a contact is not put
    back to Lead under an opportunity that stays won.
    """

    entries: Sequence[Entry]
    made: dict[tuple[str, int], str]
    moved: frozenset[int] = frozenset()

    @cached_property
    def created(self) -> frozenset[tuple[str, int]]:
        return frozenset(entry.record for entry in self.entries if entry.is_creation)

    def with_what_belongs(self) -> "StayingRecords":
        made, contact = dict(self.made), person_subject().entity
        stay = {pk for entity, pk in made if entity == contact}
        created = [entry for entry in self.entries if entry.is_creation]
        made |= {entry.record: "" for entry in created if entry.person in stay and entry.record not in made}
        moving = (entry for entry in created if entry.record in made and subject(entry.entity).moves)
        return replace(self, made=made, moved=self.moved.union(entry.person for entry in moving if entry.person))

    def and_also(
        self, kept: Iterable[KeptRecord], moved: Iterable[int], done: Iterable[tuple[Entry, set[str]]]
    ) -> "StayingRecords":
        """Return this plus what an attempt had to keep; unchanged if it reverted nothing that depends on it."""
        made = {(each.entity, each.pk): each.why for each in kept if (each.entity, each.pk) in self.created}
        more = replace(self, made=made | self.made, moved=self.moved.union(moved)).with_what_belongs()
        return more if any(more.covers(entry, keys) for entry, keys in done) else self

    def covers(self, entry: Entry, keys: Iterable[str]) -> bool:
        is_move = not subject(entry.entity).moves.isdisjoint(keys)
        return entry.record in self.made or (
            is_move and entry.person in self.moved and entry.record not in self.created
        )

    def contacts(self) -> set[int]:
        return {pk for entity, pk in self.made if entity == person_subject().entity}
