"""Old values that an undo must not restore because the edit form would reject them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from audit.models import Entry
from audit.undo.hooks import Values, on_check
from crm.entities import registry
from crm.entities.fields import Field, FieldType
from crm.entities.schema import schema
from crm.entities.values import is_of_type
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.users.models import Membership, Team

CUSTOM = "custom."  # not a text


@on_check
def invalid_values(entity: str, values: Values, change: UUID, by: Actor) -> Iterator[tuple[str, Any, str]]:
    """Checker for audit.undo: yield (key, value, message) for deleted options, members, teams and records.

    Records that the same undo restores count as existing.
    """
    if entity not in {known.name for known in registry.all_entities()}:
        return
    fields = schema(entity).fields
    for key, old in values.items():
        field = fields.get(key.removeprefix(CUSTOM))
        if field is None or field.custom != key.startswith(CUSTOM):
            if key.startswith(CUSTOM):
                yield from ((key, value, _("{field} is no longer a field.")) for value in old)
        elif field.editable:
            fitting = [value for value in old if not field.custom or is_of_type(field, value)]
            yield from ((key, value, _("{field} had another type then.")) for value in old if value not in fitting)
            check = _CHECKS.get(field.type, _anything)
            yield from ((key, value, why) for value, why in check(field, fitting, change))


# {field} stays in these messages: audit.undo fills in the field’s label.
Wrong = Iterator[tuple[Any, str]]


def _anything(field: Field, values: Sequence[Any], change: UUID) -> Wrong:
    return iter(())


def _options(field: Field, values: Sequence[Any], change: UUID) -> Wrong:
    known = {choice.value for choice in field.choices}
    for value in values:
        missing = [option for option in (value if isinstance(value, list) else [value]) if option not in known]
        if missing:
            why = ngettext(
                "{field}: {options} is no longer an option.", "{field}: {options} are no longer options.", len(missing)
            )
            yield value, why.replace("{options}", ", ".join(f"“{option}”" for option in missing))


def _members(field: Field, values: Sequence[Any], change: UUID) -> Wrong:
    active = set(Membership.objects.filter(pk__any_of=values, is_active=True).values_list("pk", flat=True))
    return (
        (value, _("{field} was someone who is no longer an active member.")) for value in values if value not in active
    )


def _teams(field: Field, values: Sequence[Any], change: UUID) -> Wrong:
    there = set(Team.objects.live().filter(pk__any_of=values).values_list("pk", flat=True))
    return ((value, _("{field} was a team that no longer exists.")) for value in values if value not in there)


def _records(field: Field, values: Sequence[Any], change: UUID) -> Wrong:
    rows = registry.get(field.target).model.objects
    if not hasattr(rows, "trashed"):
        return iter(())
    trashed = set(rows.trashed().filter(pk__any_of=values).values_list("pk", flat=True))
    if trashed:
        restored = Entry.objects.filter(change__unindexed=change, entity=field.target, entity_id__any_of=trashed)
        trashed -= set(restored.order_by().values_list("entity_id", flat=True))
    return ((value, _("{field} was a record that is in the trash.")) for value in values if value in trashed)


_CHECKS: dict[FieldType, Callable[[Field, Sequence[Any], UUID], Wrong]] = {
    FieldType.SELECT: _options,
    FieldType.MULTI_SELECT: _options,
    FieldType.USER: _members,
    FieldType.TEAM: _teams,
    FieldType.LINK: _records,
}
