"""Rows of the transitions table: when a record entered a value, and the time in the previous one."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F

from audit.record import actor_columns
from crm.kit import compiled_queries, statistics
from crm.kit.actor import Actor
from crm.kit.sql import Statement, array_param, insert_statement
from crm.lifecycle.axes import Axis
from crm.lifecycle.models import Transition


def write_first_transitions(
    model: type[Any], ids: Sequence[int], axes: Sequence[Axis], verb: str, *, by: Actor
) -> None:
    """Write the first transitions of new rows: from '' to their value along each axis, at its date.

    In cached SQL: an import starts four axes for every few rows.
    """
    if not axes:
        return

    def build(given: Mapping[str, Any]) -> list[Statement]:
        rows = model.objects.filter(pk__any_of=given["sought"])
        shared = {name: given[name] for name in ("member_id", "channel", "change", "recorded_at")}
        shared |= {"workspace_id": by.workspace_id, "from_value": "", "spent": None}
        entered = ({"to_value": F(axis.field), "at": F(axis.since)} | _facts(axis, verb, "") for axis in axes)
        return [insert_statement(Transition, rows, shared | columns) for columns in entered]

    values = {"sought": array_param(ids)} | actor_columns(by)
    compiled_queries.execute_cached(("start", model, *(axis.field for axis in axes), verb), build, values)
    statistics.analyze_if_grown(Transition, len(ids) * len(axes))


def columns_when_left(axis: Axis, verb: str, reason: Any, to: Any, now: Any) -> dict[str, Any]:
    """Return the columns of transitions of rows leaving their value."""
    spent = ExpressionWrapper(now - F(axis.since), output_field=DurationField())
    return _facts(axis, verb, reason) | {"from_value": F(axis.field), "to_value": to, "spent": spent}


def _facts(axis: Axis, verb: str, reason: Any) -> dict[str, Any]:
    return {"entity": axis.entity, "axis": axis.field, "record_id": F("pk"), "verb": verb, "reason": reason}
