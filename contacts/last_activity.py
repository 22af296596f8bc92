"""When something was last done with a contact."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest

from contacts.models import Activity, Contact


def touch(activities: Sequence[Activity]) -> None:
    """Move the contacts' last activity up to these activities, those that are done."""
    by_moment: dict[Any, list[int]] = {}
    for activity in activities:
        if activity.status == "done" and activity.contact_id:
            by_moment.setdefault(activity.done_at, []).append(activity.contact_id)
    for moment, contacts in by_moment.items():
        Contact.objects.filter(pk__in=contacts).update(last_activity=Greatest(F("last_activity"), moment))
