"""Blanks of a record that survives a merge, filled from its duplicates."""

from collections.abc import Collection, Sequence
from typing import Any

from audit import values as audited
from crm.records.models import Record
from crm.records.writing import snapshot_fields


def filled(survivor: Record, others: Sequence[Record], kept: Collection[str]) -> dict[str, Any]:
    """Return, for blank fields of the survivor except `kept` ones, the first value among the others."""
    keys = [key for key in snapshot_fields(type(survivor)) if key not in kept]
    keys += sorted({f"custom.{key}" for other in others for key in other.custom})
    found = {}
    for key in keys:
        values = [value for other in others if (value := audited.read_value(other, key)) not in ("", None)]
        if values and audited.read_value(survivor, key) in ("", None):
            found[key] = values[0]
    return found


def names(records: Sequence[Record]) -> str:
    return ", ".join(map(str, records))
