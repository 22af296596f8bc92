"""R6: every handler that ships may be called twice for one event, with the same end.

A handler that is not in CASES fails: add how its event comes to be. Nothing is replaced by a double; mail goes to the
outbox of Django's tests.
"""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.core import mail
from django.forms.models import model_to_dict

from contacts.models import Contact
from contacts.verbs.edit import edit
from contacts.verbs.override import override
from crm.events.handlers import all_handlers, handles
from crm.events.models import Delivery, Event
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from tests.factories import make_contact

# Handler's dotted name → a function of the cast that makes one of its events happen, through a verb.
CASES: dict[str, Callable] = {}
# What the engine writes about itself.
OURS = {"events"}


def test_every_handler_has_a_case():
    assert {handler.name for handler in all_handlers()} == CASES.keys()


def rows(workspace) -> dict:
    """Every row of every model of ours."""
    with in_workspace(workspace):
        return {
            model._meta.label: sorted(
                (model_to_dict(row) | {"pk": row.pk} for row in model._default_manager.all()), key=str
            )
            for model in apps.get_models()
            if model.__module__.split(".")[0] in ("crm", "contacts", "leads", "audit")
            and model._meta.app_label not in OURS
        }


def twice(handler, cast, happen: Callable) -> None:
    """Make the event happen and call the handler with it two times; assert that the second call changed nothing."""
    with in_workspace(cast.acme):
        happen(cast)
        event = Event.objects.filter(name__in=handler.events).latest("pk")
        handler.function(event, by=system(cast.acme.pk))
        once, messages = rows(cast.acme), len(mail.outbox)
        handler.function(event, by=system(cast.acme.pk))
        assert rows(cast.acme) == once
        # An outward effect may be repeated, under the same key.
        keys = [message.extra_headers.get("Message-ID") for message in mail.outbox]
        assert len(mail.outbox) == messages or (handler.outward and None not in keys and len(set(keys)) == messages)
        assert not Delivery.objects.exists(), "a handler writes through verbs, not deliveries"


def test_every_handler_called_twice_has_one_effect(cast):
    for handler in all_handlers():
        twice(handler, cast, CASES[handler.name])


def test_one_that_has_two_effects_is_found(handle, cast):
    """What the test above asks, asked of a handler that counts its calls and of one that does not."""

    def settle(event, *, by):
        override(Contact.objects.filter(pk=event.entity_id), "partner", by=by, reason="settled")

    def count(event, *, by):
        contact = Contact.objects.filter(pk=event.entity_id)
        edit(contact, {"notes": contact.get().notes + "again "}, by=by)

    for function in (settle, count):
        handles("contact.created")(function)
    settles, counts = all_handlers()
    twice(settles, cast, lambda cast: make_contact())
    with pytest.raises(AssertionError):
        twice(counts, cast, lambda cast: make_contact())
