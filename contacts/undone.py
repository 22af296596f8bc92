"""Effects of undone changes to companies, activities and engagement."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from uuid import UUID

from audit import values
from audit.models import Entry
from audit.undo.hooks import TOUCHED, PutBack, hold_back, on_take_back, on_undo
from contacts.activities.conversations import CONVERSATIONS
from contacts.activities.last_activity import recompute
from contacts.engagement import forget
from contacts.models import Activity, Contact, EngagementEvent, Participant
from contacts.suppression import UNSUBSCRIBED, suppressed_status
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _


@on_undo
def turn_last_activity_back(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Listener of audit.undo: recompute last activity after an activity or engagement was reverted or moved back."""
    if entity in ("activity", "participant", "engagement"):
        entries = Entry.objects.filter(change__unindexed=change, entity=entity, entity_id__any_of=list(put_back))
        pairs = entries.values_list("person", "new_values__contact")  # two contacts if it was moved
        also = Participant.objects.filter(activity__in=list(put_back) if entity == "activity" else [])
        recompute([*(pk for pair in pairs for pk in pair), *also.values_list("contact", flat=True)])


@on_take_back
def take_engagement_back(change: UUID, contacts: Collection[int], by: Actor) -> int:
    """Listener of audit.undo: delete the contacts' engagement events recorded by the change.

    Unsubscribed contacts stay unsubscribed.
    """
    events = EngagementEvent.objects.filter(contact__id__any_of=contacts, change=change).editable_by(by)
    events = events.exclude(kind=UNSUBSCRIBED, contact__status=UNSUBSCRIBED)
    ids = list(events.order_by("pk").values_list("pk", flat=True))
    return (
        0
        if not ids
        else forget(EngagementEvent.objects.filter(pk__any_of=ids), "contact.undone", by=by, note="contact.engaged")
    )


STAYS = _("The address stays suppressed. An admin can lift the suppression.")
LIFTED = _("Lifting a suppression can’t be undone. Set the status to suppress the address again.")


@hold_back
def keep_suppressions(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Listener of audit.undo: keep suppressions, except those a merge carried over, and revive none."""
    if entity not in ("suppression", "contact"):
        return {}
    events = _events(entries[0].change)
    if "suppression.lifted" in events:
        return dict.fromkeys((entry.entity_id for entry in entries), str(LIFTED))
    if "contact.merged" in events:
        return {}
    if entity == "suppression":
        return dict.fromkeys((entry.entity_id for entry in entries), str(STAYS))
    return dict.fromkeys(_status_alone(entries), str(STAYS))


@lru_cache(maxsize=64)
def _events(change: UUID) -> frozenset[str]:
    """Return a finished change's events, cached: a batched undo would read all its entries per batch."""
    return frozenset(Entry.objects.filter(change=change).values_list("event", flat=True).distinct())


def _status_alone(entries: Sequence[Entry]) -> list[int]:
    """Return contacts in `entries` with only a suppressed status changed."""
    changed = [entry for entry in entries if entry.old_values != {} and entry.event != "contact.status_changed"]
    others = {entry.entity_id for entry in changed}
    ids = sorted({entry.entity_id for entry in entries} - others)
    held = Contact.objects.filter(pk__any_of=ids).annotate(shown=suppressed_status()).filter(shown__isnull=False)
    return list(held.values_list("pk", flat=True)) if ids else []


SERIES = ("subject", "contact", "company", "series_start")


@hold_back
def keep_completed(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Listener of audit.undo: a repeating task stays completed if the next, planned with it, was used since.

    Completing it again would plan a second one. Conversations are reopened with all that followed from them.
    """
    done = [entry.entity_id for entry in entries if entry.event == "activity.completed"]
    planned = _planned_by(entries[0].change) if done else ()
    tasks = Activity.objects.filter(pk__any_of=done).exclude(kind__in=CONVERSATIONS) if planned else ()
    return {
        task.pk: str(TOUCHED)
        for task in tasks
        if (task.subject, task.contact_id, task.company_id, task.series_start or task.due_at) in planned
    }


def _planned_by(change: UUID) -> set[tuple]:
    """Return subject, contact, company and start of the series that a change planned and that are still there."""
    planned = dict(Entry.objects.filter(change=change, event="activity.planned").values_list("entity_id", "new_values"))
    there = Activity.objects.live().filter(pk__any_of=[*planned]).values_list("pk", flat=True)
    found = ({key: values.from_log(Activity, key, planned[pk].get(key)) for key in SERIES} for pk in there)
    return {tuple(facts.values()) for facts in found}
