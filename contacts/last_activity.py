"""When something was last done with a contact: it was made, it engaged, an activity was done; an edit is nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from contacts.models import Activity, Contact, EngagementEvent


def touch(activities: Sequence[Activity]) -> None:
    """Move the contacts' last activity up to these activities, those that are done."""
    by_moment: dict[Any, list[int]] = {}
    for activity in activities:
        if activity.status == "done" and activity.contact_id:
            by_moment.setdefault(activity.occurred_at, []).append(activity.contact_id)
    for moment, contacts in by_moment.items():
        Contact.objects.filter(pk__in=contacts).update(last_activity=Greatest(F("last_activity"), moment))


def recompute(contacts: Iterable[int | None]) -> None:
    """Set the contacts' last activity and engagement anew (DESIGN 1.1), after something is not done, or not theirs.

    What their duplicates were made at counts as well, as it did when they were merged.
    """
    done = Activity.objects.filter(contact=OuterRef("pk"), status="done", deleted_at__isnull=True)
    made = Contact.objects.filter(merged_into=OuterRef("pk"))
    engaged = _latest(EngagementEvent.objects.filter(contact=OuterRef("pk")), "contact", "occurred_at")
    moments = (_latest(done, "contact", "occurred_at"), _latest(made, "merged_into", "created_at"), engaged)
    latest = Greatest(F("created_at"), *(Coalesce(moment, F("created_at")) for moment in moments))
    rows = Contact.objects.filter(pk__any_of=sorted({pk for pk in contacts if pk}))
    # Locked before it is computed: else what is logged meanwhile would be overlooked, and its moment overwritten.
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    rows.update(last_activity=latest, last_engagement=engaged)


def _latest(rows: QuerySet, of: str, moment: str) -> Subquery:
    return Subquery(rows.order_by().values(of).annotate(latest=Max(moment)).values("latest"))
