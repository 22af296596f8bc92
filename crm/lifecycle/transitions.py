"""Rows of the transitions table: when a record entered a value, and the time in the previous one."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F

from audit.record import actor_columns
from crm.kit import compiled_queries, statistics
from crm.kit.actor import Actor
from crm.kit.sql import Statement, array_param, insert_statement
from crm.lifecycle.axes import Axis
from crm.lifecycle.models import Transition


def write_first_transition(model: type[Any], ids: Iterable[int], axis: Axis, verb: str, *, by: Actor) -> None:
    """Write the first transition of new rows: from '' to their value, at its date.

    In cached SQL: an import starts four axes for every few rows.
    """
    entered = {"from_value": "", "to_value": F(axis.field), "spent": None, "at": F(axis.since)}
    facts = _facts(axis, verb, "") | entered | {"workspace_id": by.workspace_id}

    def build(given: Mapping[str, Any]) -> list[Statement]:
        actor = {name: given[name] for name in ("member_id", "channel", "change", "recorded_at")}
        return [insert_statement(Transition, model.objects.filter(pk__any_of=given["sought"]), facts | actor)]

    values = {"sought": array_param(ids)} | actor_columns(by)
    statistics.analyze_if_grown(
        Transition, compiled_queries.execute_cached(("start", axis.entity, axis.field, verb), build, values)
    )


def columns_when_left(axis: Axis, verb: str, reason: Any, to: Any, now: Any) -> dict[str, Any]:
    """Return the columns of transitions of rows leaving their value."""
    spent = ExpressionWrapper(now - F(axis.since), output_field=DurationField())
    return _facts(axis, verb, reason) | {"from_value": F(axis.field), "to_value": to, "spent": spent}


def _facts(axis: Axis, verb: str, reason: Any) -> dict[str, Any]:
    return {"entity": axis.entity, "axis": axis.field, "record_id": F("pk"), "verb": verb, "reason": reason}
