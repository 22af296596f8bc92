"""Result of a verb: the records changed, and a reason for each record refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from crm.kit.errors import Refused


@dataclass(slots=True)
class Outcome:
    """`done`: primary keys changed. `refused`: primary key → reason. `change`: the change to undo."""

    change: UUID
    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    def refuse(self, ids: Iterable[int], sentence: str) -> None:
        """Mark records as refused with a reason; an earlier reason is kept."""
        for pk in ids:
            self.refused.setdefault(pk, str(sentence))

    def or_raise(self) -> "Outcome":
        """Raise Refused with the reason, for callers with one record."""
        for sentence in self.refused.values():
            raise Refused(sentence)
        return self
