"""Create or edit a guard."""

from django.db import transaction

from audit.record import record, update_and_record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.lifecycle.guards import check_guard
from crm.lifecycle.models import Guard

KEPT = ("entity", "verb", "condition", "message", "position", "is_active")


@transaction.atomic
def save_guard(guard: Guard, *, by: Actor) -> Guard:
    """Save `guard`, new or changed, effective in every process from its next request. Admins only.

    Raises NotAllowed, and Invalid like guards.check_guard().
    """
    lock_settings(by)
    guard.condition = check_guard(guard).key_text
    if guard.pk:
        update_and_record(
            "guard.updated", Guard.objects.filter(pk=guard.pk), {key: getattr(guard, key) for key in KEPT}, by=by
        )
    else:
        guard.save()
        record("guard.created", Guard.objects.filter(pk=guard.pk), by=by, snapshot=KEPT)
    bump_schema()
    return guard
