"""Engagement on merge: all of it moves to the survivor, without duplicates."""

from django.db.models import Exists, Max, OuterRef, QuerySet

from audit.record import update_and_record
from contacts.hooks import on_merge
from contacts.models import Contact, EngagementEvent
from crm.kit.actor import Actor


@on_merge
def move_engagement(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move engagement on merge(); undoing the merge moves it back. Simultaneous events stay with the duplicate."""
    theirs = EngagementEvent.objects.filter(contact__in=duplicates)
    alike = EngagementEvent.objects.filter(kind=OuterRef("kind"), occurred_at=OuterRef("occurred_at"))
    # Of several duplicates, the first merged one counts.
    earlier = alike.filter(contact__in=duplicates, contact__lt=OuterRef("contact"))
    new = theirs.exclude(Exists(alike.filter(contact=survivor.pk))).exclude(Exists(earlier))
    moved = EngagementEvent.objects.filter(pk__any_of=list(new.order_by("pk").values_list("pk", flat=True)))
    if update_and_record("engagement.moved", moved, {"contact": survivor.pk}, by=by):
        latest = EngagementEvent.objects.filter(contact=survivor.pk).aggregate(latest=Max("occurred_at"))["latest"]
        Contact.objects.filter(pk=survivor.pk).update(last_engagement=latest)
