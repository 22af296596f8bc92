"""Custom fields that records need from a stage on."""

from crm.entities.fields import Choice, Field
from crm.entities.schema import Schema, schema


def needed_at(entity: str, value: str) -> list[Field]:
    """Return the fields that a record at a stage needs a value of: required from it, or from an earlier one.

    Stages count within their group, in order. Those that end a record badly ask for nothing.
    """
    known = schema(entity)
    passed = _passed(known, value) if known.required_at_stages else set()
    return [field for field in known.required_at_stages if passed & {*field.required_from}]


def _passed(known: Schema, value: str) -> set[str]:
    """Return the stage and those before it."""
    stages: list[Choice] = list(known.field(known.entity.stage).choices)
    here = next((stage for stage in stages if stage.value == value), None)
    if here is None or here.ends_it:
        return set()
    before = stages[: stages.index(here) + 1]
    return {stage.value for stage in before if stage.group == here.group and not stage.ends_it}


def stages_with(field: Field, entity: str) -> list[str]:
    """Return the stages at which records need a value of a field."""
    known = schema(entity)
    values = [stage.value for stage in known.field(known.entity.stage).choices] if field.required_from else []
    return [value for value in values if _passed(known, value) & {*field.required_from}]
