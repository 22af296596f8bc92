"""R6: every shipped handler may run twice for one event, with the same result.

A handler missing in CASES fails: add how its event occurs. No mocks; email goes to the outbox of Django's tests.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.core import mail
from django.forms.models import model_to_dict
from django.utils import timezone

from contacts.models import Contact
from contacts.verbs.override import override
from contacts.verbs.win import win
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.try_campaign import try_campaign
from crm.dashboards.jobs import mail_dashboards
from crm.dashboards.verbs.subscribe import subscribe
from crm.events.handlers import all_handlers, handler_named, handles
from crm.events.models import Delivery, Event
from crm.kit import clock
from crm.kit.actor import Channel, system
from crm.kit.scope import in_workspace
from crm.notifications.jobs import make_digests
from crm.notifications.verbs.choose_channels import choose_channels
from crm.records.verbs.edit import edit
from crm.users.verbs.edit_workspace import edit_workspace
from tests.campaigns.conftest import make_campaign
from tests.factories import make_activity, make_contact
from tests.factories import rows as rows_of
from tests.workflows.conftest import becomes, make_flow, task


def mention(cast) -> None:
    """Have the rep mention their mate in a note, which notifies them."""
    make_activity(kind="note", body="@mate knows them", contact=make_contact(), by=cast.rep.actor(Channel.WEB))


def make_a_digest(cast) -> None:
    """Make the mate's notifications of yesterday due as a digest."""
    choose_channels({"mentioned": "digest"}, by=cast.mate.actor(Channel.WEB))
    now = timezone.now()
    with clock.at(now - timedelta(days=2)):
        mention(cast)
    make_digests(now.replace(hour=12))  # at any time of day


def move_to_spain(cast) -> None:
    make_contact("Ana", phone="600 100 200")
    settings = {"name": "Acme", "timezone": "UTC", "currency": "EUR", "require_mfa": False, "country": "ES"}
    edit_workspace(**settings, by=cast.admin.actor(Channel.WEB))


def send_a_campaign(cast) -> None:
    make_contact("Ana", stage="churned", marketing_consent="Given")
    send_campaign(make_campaign(cast.manager.actor(Channel.WEB)), by=cast.manager.actor(Channel.WEB))


def try_a_campaign(cast) -> None:
    try_campaign(make_campaign(cast.manager.actor(Channel.WEB)), by=cast.manager.actor(Channel.WEB))


def have_a_dashboard_mailed(cast) -> None:
    subscribe("", by=cast.mate.actor(Channel.WEB), days=30, every="day")
    mail_dashboards(timezone.now().replace(hour=12))


def win_someone(cast, *steps: dict) -> None:
    """Trigger a workflow by winning a contact."""
    make_flow(cast.admin.actor(Channel.WEB), becomes("customer"), *(steps or [task()]))
    win(rows_of(make_contact(stage="qualified")), by=cast.manager.actor(Channel.WEB))


def begin_a_run(cast) -> None:
    win_someone(cast)
    _tell("crm.workflows.handlers.start_runs", cast)


def reach_out(cast) -> None:
    letter = {"kind": "mail", "to": "record", "subject": "Welcome", "body": "Hello"}
    win_someone(cast, letter)
    for handler in ("start_runs", "go_on"):
        _tell(f"crm.workflows.handlers.{handler}", cast)


def _tell(name: str, cast) -> None:
    handler = handler_named(name)
    event = Event.objects.filter(name__in=handler.names(), waiting=True).latest("pk")
    handler.function(event, by=system(cast.acme.pk))


# Handler's dotted name → a function of the cast that triggers its event through a verb.
CASES: dict[str, Callable] = {
    "contacts.handlers.rekey_phones": move_to_spain,
    "crm.campaigns.handlers.send_mail": send_a_campaign,
    "crm.campaigns.handlers.send_test": try_a_campaign,
    "crm.dashboards.handlers.mail_dashboard": have_a_dashboard_mailed,
    "crm.notifications.handlers.mail_now": mention,
    "crm.notifications.handlers.mail_digest": make_a_digest,
    "crm.workflows.handlers.start_runs": win_someone,
    "crm.workflows.handlers.go_on": begin_a_run,
    "crm.workflows.handlers.send_out": reach_out,
}
# Written by the engine itself.
OURS = {"events"}


def test_every_handler_has_a_case():
    assert {handler.name for handler in all_handlers()} == CASES.keys()


def rows(workspace) -> dict:
    """Return every row of every own model."""
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
    """Trigger the event and call the handler twice; assert that the second call changed nothing."""
    mail.outbox.clear()
    with in_workspace(cast.acme):
        happen(cast)
        event = Event.objects.filter(name__in=handler.names(), waiting=True).latest("pk")
        handler.function(event, by=system(cast.acme.pk))
        once, messages = rows(cast.acme), len(mail.outbox)
        handler.function(event, by=system(cast.acme.pk))
        assert rows(cast.acme) == once
        # Outward effects may repeat, with the same key.
        keys = [message.extra_headers.get("Message-ID") for message in mail.outbox]
        assert len(mail.outbox) == messages or (handler.outward and None not in keys and len(set(keys)) == messages)
        assert not Delivery.objects.exists(), "a handler writes through verbs, not deliveries"


def test_every_handler_called_twice_has_one_effect(cast):
    for handler in all_handlers():
        twice(handler, cast, CASES[handler.name])


def test_one_that_has_two_effects_is_found(handle, cast):
    """The check above, applied to a non-idempotent handler and to an idempotent one."""

    def settle(event, *, by):
        override(Contact.objects.filter(pk=event.entity_id), to="partner", by=by, reason="settled")

    def count(event, *, by):
        contact = Contact.objects.filter(pk=event.entity_id)
        edit(contact, {"notes": contact.get().notes + "again "}, by=by)

    for function in (settle, count):
        handles("contact.created")(function)
    settles, counts = all_handlers()
    twice(settles, cast, lambda cast: make_contact())
    with pytest.raises(AssertionError):
        twice(counts, cast, lambda cast: make_contact())
