"""What follows when changes of companies, activities and engagement are undone."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from uuid import UUID

from audit.models import Entry
from audit.undo.hooks import PutBack, hold_back, on_take_back, on_undo
from contacts.engagement import forget
from contacts.last_activity import recompute
from contacts.models import Company, Contact, EngagementEvent
from contacts.suppression import UNSUBSCRIBED, suppressed_status
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _


@on_undo
def rename_in_search(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: people are found by the name that their company has again."""
    if entity == "company":
        Company.derived(Company.objects.filter(pk__in=[pk for pk, keys in put_back.items() if "name" in keys]))


@on_undo
def turn_last_activity_back(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo: what is not done any more, or went back to another contact, is nobody's last activity."""
    if entity in ("activity", "engagement"):
        entries = Entry.objects.filter(change__unindexed=change, entity=entity, entity_id__any_of=list(put_back))
        pairs = entries.values_list("person", "new_values__contact")  # two contacts, where it was moved to another
        recompute(pk for pair in pairs for pk in pair)


@on_take_back
def take_engagement_back(change: UUID, contacts: Collection[int], by: Actor) -> int:
    """Called by audit.undo: events of these contacts that the change told of never happened.

    A person who unsubscribed stays so.
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
    """Called by audit.undo: undoing lifts no suppression but one that a merge carried over, nor brings one back."""
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
    """The events of a change, which is over: an undo in batches would read all its entries for each of them."""
    return frozenset(Entry.objects.filter(change=change).values_list("event", flat=True).distinct())


def _status_alone(entries: Sequence[Entry]) -> list[int]:
    """The contacts among `entries` of whom nothing but a suppressed status was changed."""
    changed = [entry for entry in entries if entry.old_values != {} and entry.event != "contact.status_changed"]
    others = {entry.entity_id for entry in changed}
    ids = sorted({entry.entity_id for entry in entries} - others)
    held = Contact.objects.filter(pk__any_of=ids).annotate(shown=suppressed_status()).filter(shown__isnull=False)
    return list(held.values_list("pk", flat=True)) if ids else []
