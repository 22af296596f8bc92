"""What the tests ask of the audit log, the outbox and the transitions."""

from django.db.models import Q

from audit.models import Entry
from crm.events.handlers import has_handler
from crm.events.models import Event
from crm.kit.actor import Actor
from crm.lifecycle.models import Transition

# What other verbs tell of engagement, and what undoing takes back of it, has tests of its own (tests/leads).
ENGAGEMENT = Q(event__in=("contact.engaged", "contact.disengaged")) | Q(event="contact.undone", note="contact.engaged")


def entries(by: Actor) -> list[Entry]:
    """The entries of one action, in the order they were written, but for what they say of engagement."""
    return list(Entry.objects.filter(change=by.change).exclude(ENGAGEMENT).order_by("id"))


def written(by: Actor) -> list[tuple]:
    """The entries of one action as (event, record, old values, new values), but for leads, which follow contacts."""
    told = [entry for entry in entries(by) if entry.entity != "lead"]
    return [(entry.event, entry.entity_id, entry.old_values, entry.new_values) for entry in told]


def moves(by: Actor) -> list[tuple]:
    """The transitions of one action as (record, axis, from, to, verb, reason), but for leads, which follow contacts."""
    found = Transition.objects.filter(change=by.change).exclude(entity="lead").order_by("id")
    return list(found.values_list("record_id", "axis", "from_value", "to_value", "verb", "reason"))


def assert_entry(by: Actor, record, event: str, action: str, *, old, new, note="", severity="info", person=None):
    """`by` wrote this one entry about `record`, and an outbox row where somebody is to be told of it."""
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
    """`by` left no entry, no event and no transition."""
    assert not Entry.objects.filter(change=by.change).exists()
    assert not Event.objects.filter(change=by.change).exists()
    assert not Transition.objects.filter(change=by.change).exists()
