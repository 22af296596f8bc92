"""Make or change a guard."""

from django.db import transaction

from audit.record import change, record
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.lifecycle.axes import all_axes
from crm.lifecycle.models import Guard

KEPT = ("entity", "verb", "condition", "message", "position", "is_active")


@transaction.atomic
def save_guard(guard: Guard, *, by: Actor) -> Guard:
    """Save `guard`, new or changed; every process obeys it from its next request on. Admins only.

    Raises NotAllowed, and Invalid per field: a verb that moves nothing, a condition that cannot be read, no message.
    """
    lock_settings(by)
    _check(guard)
    if guard.pk:
        change("guard.updated", Guard.objects.filter(pk=guard.pk), {key: getattr(guard, key) for key in KEPT}, by=by)
    else:
        guard.save()
        record("guard.created", Guard.objects.filter(pk=guard.pk), by=by, snapshot=KEPT)
    bump_schema()
    return guard


def _check(guard: Guard) -> None:
    errors = {}
    verbs = {move.verb for axis in all_axes() if axis.entity == guard.entity for move in axis.moves}
    if guard.verb not in verbs:
        errors["verb"] = f"“{guard.verb}” moves no {guard.entity}: choose from {', '.join(sorted(verbs)) or 'none'}."
    if not guard.message.strip():
        errors["message"] = "Say what is missing: this sentence is what people read."
    if len(guard.message) > 200:
        errors["message"] = "A sentence of at most 200 characters, please."
    try:
        guard.condition = parse(guard.condition, guard.entity).key_text
    except KeyError:
        errors["entity"] = f"There is no entity “{guard.entity}”."
    except ConditionError as error:
        errors["condition"] = str(error)
    if not guard.condition.strip():
        errors["condition"] = "Write what must be true, for example: email is not empty."
    if errors:
        raise Invalid(errors)
