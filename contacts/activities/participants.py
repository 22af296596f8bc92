"""The people of an activity: its contact, and its participants."""

from collections.abc import Collection, Iterable, Mapping

from django.db.models import F, OuterRef, Prefetch, QuerySet, TextField, Value
from django.db.models.functions import Concat

from audit.record import record, update_and_record
from contacts.hooks import on_merge
from contacts.models import Activity, Contact, Participant
from crm.kit import clock
from crm.kit.actor import Actor

SNAPSHOT = ("activity", "contact")


def with_participants(activities: QuerySet) -> QuerySet:
    """Prefetch what people_in() reads."""
    return activities.prefetch_related(Prefetch("participants", Participant.objects.live(), "present"))


def people_in(activity: Activity) -> list[int]:
    """Return the keys of an activity's contact, if any, and participants, which with_participants() prefetches."""
    others = [row.contact_id for row in getattr(activity, "present", ())]
    return [activity.contact_id, *others] if activity.contact_id else others


def keys_of_people(activities: QuerySet) -> set[int]:
    """Return the keys of all contacts and participants of activities."""
    joined = Participant.objects.live().filter(activity__in=activities.order_by().values("pk"))
    keys = {*activities.order_by().values_list("contact", flat=True), *joined.values_list("contact", flat=True)}
    return keys - {None}


def activity_names(by: Actor) -> QuerySet:
    """Return " subject" of a participant's activity, for contacts.hooks.show_in_contact_timeline()."""
    activities = Activity.objects.visible_to(by).filter(participants=OuterRef("entity_id"))
    return activities.values(told=Concat(Value(" "), F("subject"), output_field=TextField()))


def activities_of(participants: QuerySet) -> QuerySet[Activity]:
    """Return the activities of participants who weren't removed."""
    return Activity.objects.filter(pk__in=participants.filter(deleted_at__isnull=True).order_by().values("activity"))


def insert_participants(people: Mapping[int, Collection[int]], by: Actor) -> list[int]:
    """Save participants, given as keys of contacts by activity, unrecorded; return their keys."""
    now = clock.now()
    made = Participant.objects.bulk_create(
        Participant(workspace_id=by.workspace_id, activity_id=activity, contact_id=contact, updated_at=now)
        for activity, contacts in people.items()
        for contact in contacts
    )
    return [row.pk for row in made]


def record_added(participants: Iterable[int], by: Actor) -> None:
    rows = Participant.objects.filter(pk__any_of=list(participants))
    record("participant.added", rows, by=by, snapshot=SNAPSHOT)


@on_merge
def move_participations(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Put the survivor into the duplicates' activities on merge(), once in each; undoing the merge puts them back."""
    rows = Participant.objects.live().filter(contact__in=duplicates).order_by("pk")
    held = list(rows.select_for_update(of=("self",)).values_list("pk", "activity"))
    own = Participant.objects.live().filter(contact=survivor)
    taken = {*own.values_list("activity", flat=True)}
    taken |= {*Activity.objects.filter(contact=survivor).values_list("pk", flat=True)}
    first = {activity: pk for pk, activity in reversed(held) if activity not in taken}
    first_in_it = own.filter(activity__contact=survivor).values_list("pk", flat=True)
    doubled = {pk for pk, _ in held} - {*first.values()} | {*first_in_it}
    moved, gone = Participant.objects.filter(pk__in=first.values()), Participant.objects.filter(pk__in=doubled)
    update_and_record("participant.moved", moved, {"contact": survivor.pk}, by=by)
    update_and_record("participant.removed", gone, {"deleted_at": clock.now()}, by=by)
