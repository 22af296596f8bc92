"""Definitions of axis values: shipped by apps, editable by admins, and testable.

Why: docs/decisions/0008-stuck-has-a-reason.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.actor import RANK, Role
from crm.kit.lazy import LazySequence
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis, Move, all_axes
from crm.lifecycle.models import StageDefinition

WRITTEN = ("meaning", "key_question", "next_action", "entry", "exit", "keeper", "expected_days")


@dataclass(frozen=True)
class Definition:
    """A value's definition in words and conditions; `version` 0 is the shipped one.

    `entry` holds for records that belong there, `exit` for those ready to move on. `keeper`: the stage's owner, or
    “Automatic”. `expected_days`: after which a record is stuck; None: from the workspace's history.
    """

    meaning: str
    key_question: str
    next_action: str
    entry: str
    exit: str = ""
    keeper: str = _("Record owner")
    expected_days: int | None = None
    version: int = 0


_shipped: dict[tuple[str, str], Mapping[str, Definition]] = {}


def ship_definitions(axis: Axis, definitions: Mapping[str, Definition]) -> None:
    """Define every value of an axis. Raises ValueError for a missing one, unless each workspace has its own."""
    own = isinstance(axis.values, LazySequence)
    if not own and definitions.keys() != {choice.value for choice in axis.values}:
        raise ValueError(f"{axis.entity} {axis.field}: a definition for each value, please.")
    _shipped[axis.entity, axis.field] = definitions


def definitions(axis: Axis) -> dict[str, Definition]:
    """Return the definition of each value of an axis in the workspace in scope; one statement."""
    written = StageDefinition.objects.filter(entity=axis.entity, axis=axis.field).order_by("version")
    newest = {row.value: Definition(version=row.version, **_words(row)) for row in written}
    found = {**_labels(axis), **_shipped.get((axis.entity, axis.field), {}), **newest}
    if axis.expected is None:
        return found
    days = axis.expected()
    return {value: replace(definition, expected_days=days.get(value)) for value, definition in found.items()}


def _labels(axis: Axis) -> Mapping[str, Definition]:
    return {choice.value: Definition(str(choice.label), "", "", "") for choice in (*axis.past, *axis.values)}


def _words(row: StageDefinition) -> dict:
    return {name: getattr(row, name) for name in WRITTEN}


def find_axis(entity: str, field: str) -> Axis:
    """Return the axis of an entity's field. Raises KeyError."""
    return {(axis.entity, axis.field): axis for axis in all_axes()}[entity, field]


def ends(axis: Axis, value: str) -> bool:
    """Return whether reps move records no further from there, so that no exit criteria are needed."""
    return not any(RANK[move.role] <= RANK[Role.REP] for move in axis.moves_from(value))


def moves_leading_to(axis: Axis, value: str) -> list[Move]:
    """Return the moves to a value, manual ones first."""
    return sorted((move for move in axis.moves if move.may_reach(value)), key=lambda move: move.by_rule)


def contradicts_entry_criteria(axis: Axis, value: str, definition: Definition) -> str:
    """Return the condition of records at a value that miss its entry criteria; '' if it is invalid."""
    entry = condition_of(definition.entry, axis.entity)
    return f"{axis.condition(value)} and not ({entry.key_text})" if entry else ""  # not a text


def condition_of(text: str, entity: str) -> Condition | None:
    """Return the condition of a definition; None if empty, or if one of its fields was deleted."""
    try:
        return parse(text, entity, people=False) if text.strip() else None
    except ConditionError:
        return None
