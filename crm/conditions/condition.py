"""A parsed condition: the interface that the rest of the product uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from crm.conditions.chips import Chip, SentenceWriter, chip
from crm.conditions.compile import Context, Viewer, predicate
from crm.conditions.explain import LeafResult, explain_roots
from crm.conditions.tree import All, Node, paths
from crm.conditions.write import LabelWriter, Writer
from crm.entities.values import zone


@dataclass(frozen=True)
class Condition:
    """The result of parse(). Conditions are equal if they have the same parts in the same order."""

    entity: str
    root: Node

    @cached_property
    def key_text(self) -> str:
        return Writer().text(self.root)

    @property
    def label_text(self) -> str:
        return LabelWriter().text(self.root)

    @property
    def sentence(self) -> str:
        """The condition as people read it."""
        return SentenceWriter().text(self.root)

    def expression(self, viewer: Viewer, now: datetime) -> Any:
        """Return an argument for queryset.filter() of the entity's model; relative times count from `now` (aware)."""
        return predicate(self.root, Context(viewer, now, zone()))

    def explain(self, queryset: QuerySet, pk: Any, viewer: Viewer, now: datetime) -> list[LeafResult]:
        """Return each leaf with ✓ or ✗ and the record's value, in one SELECT. Raises the model's DoesNotExist."""
        return explain_roots({"": self.root}, queryset, pk, viewer, now)[""]

    def fields(self) -> set[str]:
        """Return the fields used, as dotted paths of keys, e.g. {"owner", "company.industry"}."""
        return set(paths(self.root))

    @property
    def size(self) -> int:
        return sum(1 for _ in paths(self.root))

    def chips(self) -> list[Chip]:
        """Return the top-level parts as chips."""
        writer = SentenceWriter()
        return [chip(part, writer) for part in self._parts()]

    def without(self, index: int) -> str:
        """Return the condition's text (by key) without the chip at `index`. Raises IndexError."""
        parts = list(self._parts())
        del parts[index]
        return Writer().text(All(tuple(parts)))

    def _parts(self) -> tuple[Node, ...]:
        return self.root.parts if isinstance(self.root, All) else (self.root,)


def explain_many(
    conditions: Mapping[str, Condition], queryset: QuerySet, pk: Any, viewer: Viewer, now: datetime
) -> dict[str, list[LeafResult]]:
    """Explain conditions (e.g. a page's guards) on one record in one SELECT. Raises the model's DoesNotExist."""
    return explain_roots({key: each.root for key, each in conditions.items()}, queryset, pk, viewer, now)


def and_(first: str, second: str) -> str:
    """Join two conditions with AND. The line breaks end a comment, which would swallow the bracket."""
    if not (first.strip() and second.strip()):
        return first.strip() or second.strip()
    return f"({first.strip()}\n) and ({second.strip()}\n)"  # not a text
