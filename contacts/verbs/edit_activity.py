"""Change or cancel activities."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit.record import change
from contacts.fields import check_lengths
from contacts.last_activity import recompute
from contacts.models import Activity
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock

EDITABLE = {"subject", "body", "owner", "priority", "due_at", "minutes", "outcome", "sender", "recipients", "status"}


@transaction.atomic
def edit_activity(activities: RecordQuerySet, values: Mapping[str, Any], *, by: Actor) -> Outcome:
    """Set fields of activities (typed values); complete() is the verb that finishes them.

    Raises Invalid for a field that cannot be changed, an empty subject and a status that is not pending or cancelled.
    """
    if wrong := values.keys() - EDITABLE:
        raise Invalid({key: f"{key} of an activity cannot be changed." for key in wrong})
    check_lengths(Activity, values)
    if not values.get("subject", "-").strip():
        raise Invalid({"subject": "Say in a few words what it is about."})
    if values.get("status", "pending") not in ("pending", "cancelled"):
        raise Invalid({"status": "An activity is set to pending or cancelled here; completing it has a button."})
    locked = lock(activities, by)
    for rows in locked.batches():
        change("activity.updated", rows, values, by=by)
        if "status" in values:
            recompute(rows.values_list("contact_id", flat=True))
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome
