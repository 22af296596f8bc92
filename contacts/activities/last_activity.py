"""A contact's last activity: its creation, engagement, or a completed activity; edits don't count."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from contacts.activities.participants import people_in
from contacts.models import Activity, Contact, EngagementEvent, Participant


def touch(activities: Iterable[Activity]) -> None:
    """Advance the last activity of everyone in these activities, with their participants prefetched, if done."""
    by_moment: dict[Any, list[int]] = {}
    for activity in activities:
        if activity.status == "done":
            by_moment.setdefault(activity.occurred_at, []).extend(people_in(activity))
    for moment, contacts in by_moment.items():
        Contact.objects.filter(pk__in=contacts).update(last_activity=Greatest(F("last_activity"), moment))


def recompute(contacts: Iterable[int | None]) -> None:
    """Recompute the contacts' last activity and engagement (DESIGN 1.1), after an activity was undone or moved.

    The creation of merged duplicates counts too, as it did at the merge.
    """
    done = Activity.objects.filter(contact=OuterRef("pk"), status="done", deleted_at__isnull=True)
    made = Contact.objects.filter(merged_into=OuterRef("pk"))
    engaged = _latest(EngagementEvent.objects.filter(contact=OuterRef("pk")), "contact", "occurred_at")
    joined = Participant.objects.live().filter(
        contact=OuterRef("pk"), activity__status="done", activity__deleted_at__isnull=True
    )
    moments = (
        _latest(done, "contact", "occurred_at"),
        _latest(joined, "contact", "activity__occurred_at"),
        _latest(made, "merged_into", "created_at"),
        engaged,
    )
    latest = Greatest(F("created_at"), *(Coalesce(moment, F("created_at")) for moment in moments))
    rows = Contact.objects.filter(pk__any_of=sorted({pk for pk in contacts if pk}))
    # Locked before computing: otherwise a concurrent activity would be missed and its time overwritten.
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    rows.update(last_activity=latest, last_engagement=engaged)


def _latest(rows: QuerySet, of: str, moment: str) -> Subquery:
    return Subquery(rows.order_by().values(of).annotate(latest=Max(moment)).values("latest"))
