"""Save a new version of an axis value's definition."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit.record import record
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.versions import lock_settings
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import Axis
from crm.lifecycle.definitions import WRITTEN, definitions, ends
from crm.lifecycle.models import StageDefinition

KEPT = ("entity", "axis", "value", *WRITTEN, "member")
LONGEST = {"meaning": 300, "key_question": 300, "next_action": 300, "keeper": 120}


@transaction.atomic
def save_definition(axis: Axis, value: str, words: Mapping[str, Any], *, by: Actor) -> StageDefinition:
    """Save `words` (the names of WRITTEN) as the next version; earlier ones are kept. Admins only.

    Raises KeyError for an unknown value, NotAllowed, and Invalid per field: no meaning, missing or untestable entry
    criteria, missing exit criteria for a value that records leave, an invalid condition.
    """
    lock_settings(by)
    axis.value(value)
    words = _checked(axis, value, words)
    row = StageDefinition(
        entity=axis.entity,
        axis=axis.field,
        value=value,
        version=definitions(axis)[value].version + 1,
        member_id=by.member_id,
        created_at=clock.now(),
        **words,
    )
    row.save()
    record("stage_definition.created", StageDefinition.objects.filter(pk=row.pk), by=by, snapshot=KEPT)
    return row


def _checked(axis: Axis, value: str, words: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: words.get(name) for name in WRITTEN} | ({"expected_days": None} if axis.expected else {})
    kept |= {name: str(kept[name] or "").strip() for name in LONGEST}
    errors = {
        name: _("Enter up to {count} characters.").format(count=formats.number(most))
        for name, most in LONGEST.items()
        if len(str(kept[name])) > most
    }
    if not kept["meaning"]:
        errors["meaning"] = _("Enter a meaning.")
    for name in ("entry", "exit"):
        try:
            kept[name] = _observable(str(kept[name] or ""), axis)
        except ConditionError as error:
            errors[name] = str(error)
    if not kept["entry"]:
        errors.setdefault("entry", _("Enter the entry criteria, e.g. email is not empty."))
    if not (kept["exit"] or ends(axis, value)):
        errors.setdefault("exit", _("Enter the exit criteria."))
    if errors:
        raise Invalid(errors)
    return kept


def _observable(text: str, axis: Axis) -> str:
    """Return the condition for storage. Raises ConditionError if it only tests the axis itself."""
    condition = parse(text, axis.entity, people=False)
    if condition.fields() and condition.fields() <= {axis.field, axis.since}:
        sentence = _("“{axis}” alone isn’t observable. Add a condition on another field.")
        raise ConditionError(sentence.format(axis=axis.label))
    return condition.key_text
