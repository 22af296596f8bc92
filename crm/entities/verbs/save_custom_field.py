"""Create or edit a custom field."""

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.record import record, update_and_record
from crm.entities import registry
from crm.entities.fields import FieldType
from crm.entities.models import TONES, CustomField
from crm.entities.schema import schema
from crm.entities.sql import ListHas, orm_value
from crm.entities.uses import refuse_breaking_changes
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.text import fold
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

FIXED = {
    "entity": _("A field’s record type can’t be changed. Create a new field instead."),
    "key": _("A field’s key can’t be changed. Create a new field instead."),
    "type": _("A field’s type can’t be changed here. Convert the field instead."),
    "target": _("A field’s linked record type can’t be changed. Create a new field instead."),
}
EDITABLE = ("label", "choices", "required", "required_from", "help", "position")


@transaction.atomic
def save_custom_field(field: CustomField, *, by: Actor) -> CustomField:
    """Save `field`, new or changed, and invalidate every process's schema cache. Admins only.

    Entity, key, type and target, which identify stored values, never change. Raises NotAllowed; Invalid with a message
    per attribute: a duplicate name, removed choices still in records, a missing target; and InUse for removed choices
    that settings refer to.
    """
    lock_settings(by)
    old = CustomField.objects.filter(pk=field.pk).first() if field.pk else None
    if old:
        _refuse_fixed(old, field)
    _validate(field)
    if old:
        _refuse_lost_choices(old, field)
        with refuse_breaking_changes(_refusal(old, field)):
            rows = CustomField.objects.filter(pk=field.pk)
            update_and_record("custom_field.updated", rows, {key: getattr(field, key) for key in EDITABLE}, by=by)
            bump_schema()
    else:
        field.save()
        kept = (*FIXED, *EDITABLE)
        record("custom_field.created", CustomField.objects.filter(pk=field.pk), by=by, snapshot=kept)
        bump_schema()
    return field


def _refusal(old: CustomField, field: CustomField) -> str:
    kept = {choice["value"] for choice in field.choices}
    lost = ", ".join(f"“{choice['label']}”" for choice in old.choices if choice["value"] not in kept)
    if lost:
        return gettext("Can’t remove {options} from {field}.").format(options=lost, field=old.label)
    return gettext("Can’t change the field “{field}”.").format(field=old.label)


def _refuse_fixed(old: CustomField, field: CustomField) -> None:
    errors = {name: str(error) for name, error in FIXED.items() if getattr(old, name) != getattr(field, name)}
    if errors:
        raise Invalid(errors)


def _validate(field: CustomField) -> None:
    field.label = " ".join(field.label.split()) if isinstance(field.label, str) else field.label
    errors = {**_column_errors(field), **_entity_errors(field)}
    if not errors:
        errors = {**_name_errors(field), **_choice_errors(field), **_target_errors(field), **_stage_errors(field)}
    if errors:
        raise Invalid(errors)


def _column_errors(field: CustomField) -> dict[str, str]:
    try:
        field.clean_fields(exclude={"workspace", "choices"})
    except ValidationError as error:
        return {name: " ".join(messages) for name, messages in error.message_dict.items()}
    return {}


def _entity_errors(field: CustomField) -> dict[str, str]:
    known = {entity.name: entity for entity in registry.all_entities()}
    if field.entity not in known:
        return {"entity": gettext("The record type “{name}” doesn’t exist.").format(name=field.entity)}
    if not known[field.entity].has_custom_fields():
        plural = known[field.entity].plural
        return {"entity": gettext("{records} can’t have custom fields.").format(records=plural)}
    return {}


def _name_errors(field: CustomField) -> dict[str, str]:
    """Check the case-insensitive namespace of keys, labels, API names and aliases, including archived fields."""
    declared = registry.get(field.entity)
    taken = {name: declared.fields[key].label for name, key in declared.names().items()}
    for other in CustomField.objects.filter(entity=field.entity).exclude(pk=field.pk):
        label = gettext("{field} (archived)").format(field=other.label) if other.archived_at else other.label
        taken |= {fold(other.key): label, fold(other.label): label}
    names = {"key": fold(field.key), "label": fold(field.label)}
    sentence = gettext("“{name}” is already a name of the field {field}.")
    return {
        attribute: sentence.format(name=name, field=taken[name]) for attribute, name in names.items() if name in taken
    }


def _choice_errors(field: CustomField) -> dict[str, str]:
    if field.type not in (FieldType.SELECT, FieldType.MULTI_SELECT):
        return {"choices": gettext("Only select fields have options.")} if field.choices else {}
    problem = _choices_problem(field.choices)
    return {"choices": problem} if problem else {}


def _choices_problem(choices) -> str:
    if not isinstance(choices, list) or not choices:
        return gettext("Add at least one option.")
    if not all(_is_choice(choice) for choice in choices):
        return gettext("Each option needs a value and a label of up to 80 characters.")
    seen: dict[str, str] = {}
    for choice in choices:
        for name in {fold(choice["value"]), fold(choice["label"])}:
            if name in seen:
                return gettext("Two options are named “{name}”. Rename one.").format(name=seen[name])
        seen |= {fold(choice["value"]): choice["label"], fold(choice["label"]): choice["label"]}
    return ""


def _is_choice(choice) -> bool:
    return (
        isinstance(choice, dict)
        and choice.keys() - {"tone"} == {"value", "label"}
        and all(
            isinstance(text, str) and 0 < len(text) <= 80 and text == text.strip() and text.isprintable()
            for text in choice.values()
        )
        and choice.get("tone", "grey") in TONES
    )


def _target_errors(field: CustomField) -> dict[str, str]:
    names = [entity.name for entity in registry.all_entities()]
    if field.type != FieldType.LINK:
        return {"target": gettext("Only link fields have a linked record type.")} if field.target else {}
    sentence = gettext("Choose a linked record type: {names}.")
    return {} if field.target in names else {"target": sentence.format(names=", ".join(names))}


def _stage_errors(field: CustomField) -> dict[str, str]:
    """Check that the stages from which on it is required exist, at most one in each group."""
    if not field.required_from:
        return {}
    stage = registry.get(field.entity).stage
    known = {choice.value: choice for choice in schema(field.entity).field(stage).choices} if stage else {}
    if not {*field.required_from} <= known.keys():
        return {"required_from": gettext("Choose stages of this record type.")}
    groups = [known[value].group for value in field.required_from]
    if len(groups) > len({*groups}):
        return {"required_from": gettext("Choose one stage per pipeline: the first that needs a value.")}
    return {}


def _refuse_lost_choices(old: CustomField, field: CustomField) -> None:
    kept = {choice["value"] for choice in field.choices}
    rows = registry.get(old.entity).model.objects
    value = orm_value(old.declaration())
    for choice in old.choices:
        if choice["value"] not in kept:
            held = ListHas(value, choice["value"]) if old.type == FieldType.MULTI_SELECT else None
            used = rows.filter(held) if held else rows.alias(held=value).filter(held=choice["value"])
            if used.exists():
                sentence = gettext("“{option}” is still in use. Update those records first.")
                raise Invalid({"choices": sentence.format(option=choice["label"])})
