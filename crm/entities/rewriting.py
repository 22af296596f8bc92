"""Rewriting of a custom field's values: an entry and a new version for each changed record."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from audit.record import LogRow, record_rows
from audit.subjects import subject
from audit.values import CUSTOM
from crm.entities import registry
from crm.entities.models import CustomField
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import update_rows

BATCH = 2_000  # records read and written at a time

Becomes = Callable[[int, Any], Any]  # (primary key, value) → the new value; None for none


def lock_values(rows: QuerySet) -> list[int]:
    """Lock records in id order, as verbs do; return their keys."""
    return list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def rewrite(custom: CustomField, ids: Sequence[int], becomes: Becomes, *, event: str, by: Actor, note: str = "") -> int:
    """Set the field of locked records to what each value becomes; return how many changed."""
    count = 0
    for start in range(0, len(ids), BATCH):
        changed = list(_changed(custom, ids[start : start + BATCH], becomes))
        _write(custom, changed)
        record_rows(event, (fact for fact, _, _ in changed), by=by, note=note)
        count += len(changed)
    return count


Changed = tuple[LogRow, dict[str, Any], int]  # with all custom values, and the version


def _changed(custom: CustomField, ids: Sequence[int], becomes: Becomes) -> Iterator[Changed]:
    about, key = subject(custom.entity), f"{CUSTOM}{custom.key}"
    rows = about.model._default_manager.filter(pk__any_of=ids).order_by("pk")
    columns = ["pk", about.person_key, "custom", *(["version"] if _is_versioned(about.model) else [])]
    for pk, person, values, *version in rows.values_list(*columns):
        old = values.get(custom.key)
        if (new := becomes(pk, old)) != old:
            others = {name: value for name, value in values.items() if name != custom.key}
            values = others if new is None else others | {custom.key: new}
            yield LogRow(pk, person, {key: old}, {key: new}), values, sum(version)


def _write(custom: CustomField, changed: Sequence[Changed]) -> None:
    model = registry.get(custom.entity).model
    if not changed:
        return
    if _is_versioned(model):
        rows = [(fact.pk, json.dumps(values), version + 1, clock.now()) for fact, values, version in changed]
        update_rows(model, ["custom", "version", "updated_at"], rows)
    else:
        update_rows(model, ["custom"], [(fact.pk, json.dumps(values)) for fact, values, _ in changed])


def _is_versioned(model: Any) -> bool:
    return any(field.name == "version" for field in model._meta.fields)
