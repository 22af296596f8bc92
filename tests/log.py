"""Test queries on the audit log, outbox and transitions."""

from django.db.models import Q

from audit.models import Entry
from crm.events.handlers import has_handler
from crm.events.models import Event
from crm.kit.actor import Actor
from crm.lifecycle.models import Transition

# Other verbs' engagement, and its undo, have tests of their own (tests/leads).
ENGAGEMENT = Q(event__in=("contact.engaged", "contact.disengaged")) | Q(event="contact.undone", note="contact.engaged")


def entries(by: Actor) -> list[Entry]:
    """Return an action's entries in order, without engagement."""
    return list(Entry.objects.filter(change=by.change).exclude(ENGAGEMENT).order_by("id"))


def written(by: Actor) -> list[tuple]:
    """Return an action's entries as (event, record, old values, new values), without leads."""
    told = [entry for entry in entries(by) if entry.entity != "lead"]
    return [(entry.event, entry.entity_id, entry.old_values, entry.new_values) for entry in told]


def moves(by: Actor) -> list[tuple]:
    """Return an action's transitions as (record, axis, from, to, verb, reason), without leads."""
    found = Transition.objects.filter(change=by.change).exclude(entity="lead").order_by("id")
    return list(found.values_list("record_id", "axis", "from_value", "to_value", "verb", "reason"))


def assert_entry(by: Actor, record, event: str, action: str, *, old, new, note="", severity="info", person=None):
    """Assert that `by` wrote exactly this entry about `record`, and an outbox row if a handler wants it."""
    [entry] = [entry for entry in entries(by) if (entry.entity_id, entry.event) == (record.pk, event)]
    assert (entry.action, entry.note or "", entry.severity) == (action, note, severity)
    assert (entry.old_values, entry.new_values) == (old, new)
    assert (entry.member_id, entry.channel, entry.workspace_id) == (by.member_id, by.channel, by.workspace_id)
    assert entry.person == (record.pk if person is None else person)
    assert entry.salt and entry.erased_by is None
    told = list(Event.objects.filter(change=by.change, name=event, entity_id=record.pk))
    assert len(told) == has_handler(event)
    for one in told:
        assert (one.old_values, one.new_values, one.person) == (old, new, entry.person)
        assert (one.member_id, one.channel, one.at, one.waiting) == (by.member_id, by.channel, entry.at, True)


def assert_nothing_written(by: Actor) -> None:
    """Assert that `by` wrote no entry, event or transition."""
    assert not Entry.objects.filter(change=by.change).exists()
    assert not Event.objects.filter(change=by.change).exists()
    assert not Transition.objects.filter(change=by.change).exists()
