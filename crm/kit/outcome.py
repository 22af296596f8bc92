"""What a verb answers: which records it changed, and why it left the others alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from crm.kit.errors import Refused


@dataclass(slots=True)
class Outcome:
    """`done`: primary keys changed. `refused`: primary key → sentence. `change`: what to undo."""

    change: UUID
    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    def refuse(self, ids: Iterable[int], sentence: str) -> None:
        """Leave these records alone and say why; a reason already given stands."""
        for pk in ids:
            self.refused.setdefault(pk, str(sentence))

    def or_raise(self) -> "Outcome":
        """For callers with one record: raise Refused with the sentence when it was refused."""
        for sentence in self.refused.values():
            raise Refused(sentence)
        return self
