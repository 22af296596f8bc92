"""Records at an earlier time, reconstructed from the audit log, and the conditions they met then."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from audit import values as audited
from crm.conditions.compile import Viewer
from crm.conditions.condition import Condition


def previous_values(old: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Merge the replaced values of later changes, newest first, into the values at the earlier time."""
    found: dict[str, Any] = {}
    for values in old:
        found |= values or {}
    return found


def met_condition_as_of(
    model: Any, pk: int, then: Mapping[str, Any], condition: Condition | None, viewer: Viewer, at: datetime
) -> bool:
    """Return whether the live record `pk`, with the values `then`, met the condition at that time.

    Linked records are read with their current values.
    """
    rows = model.objects.live().filter(pk=pk)
    if condition:
        rows = rows.filter(condition.expression(viewer, at))
    sql, params = rows.order_by().values("pk").query.sql_with_params()
    past, own = _past(model, then, pk)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(sql.replace(f" FROM {table}", f" FROM ({past}) {table}", 1), [*own, *params])
        return cursor.fetchone() is not None


def _past(model: type[Model], then: Mapping[str, Any], pk: int) -> tuple[str, list]:
    """Return the row with these values as a query, and its parameters."""
    columns, params = [], []
    for field in model._meta.concrete_fields:
        name = connection.ops.quote_name(str(field.column))
        value, is_past = _value(model, field, then, pk)
        if is_past:
            params.append(field.get_db_prep_save(value, connection))
            name = f"CAST(%s AS {field.db_type(connection)}) AS {name}"
        columns.append(name)
    table = connection.ops.quote_name(model._meta.db_table)
    return f"SELECT {', '.join(columns)} FROM {table} WHERE id = %s", [*params, pk]


def _value(model: type[Model], field: Any, then: Mapping[str, Any], pk: int) -> tuple[Any, bool]:
    if field.name != "custom":
        return audited.from_log(model, field.name, then.get(field.name)), field.name in then
    own = {key.removeprefix(audited.CUSTOM): old for key, old in then.items() if key.startswith(audited.CUSTOM)}
    if not own:
        return None, False
    now = model._default_manager.values_list("custom", flat=True).get(pk=pk)
    return {key: value for key, value in (now | own).items() if value is not None}, True
