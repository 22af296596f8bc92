"""Emails are sent by retried deliveries, and name nothing hidden from the reader."""

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from contacts.models import Contact
from crm.events.deliveries import claim, run
from crm.events.engine import drain
from crm.events.models import Delivery, State
from crm.events.relay import relay
from crm.kit.scope import in_workspace
from crm.notifications.handlers import mail_now
from crm.notifications.models import Notification
from crm.notifications.verbs.choose_channels import choose_channels
from crm.records.verbs.assign import assign
from tests.factories import make_activity, make_contact

pytestmark = pytest.mark.once

at_once = pytest.mark.django_db(transaction=True)


def mention(cast, who="mate", **values):
    with in_workspace(cast.acme):
        ana = make_contact("Ana <Ruiz>", **values)
        make_activity(kind="note", body=f"@{who} look", contact=ana, by=cast.rep.actor("web"))
        return Notification.objects.get()


@at_once
def test_a_mention_is_mailed_at_once(cast):
    item = mention(cast)
    drain()
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["mate@acme.example"], "Rep mentioned you on Ana <Ruiz>")
    assert message.extra_headers["Message-ID"] == f"<{item.public_id}@localhost>"
    assert f"/notification/{item.public_id}/open" in message.body
    assert "You’re receiving this because someone mentioned you." in message.body
    assert "/settings/notifications/" in message.body
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    assert "<strong>Ana &lt;Ruiz&gt;</strong>" in html
    assert "<img" not in html
    with in_workspace(cast.acme):
        item.refresh_from_db()
        assert item.mail is None
        assert item.mailed_at


@at_once
def test_a_mail_that_fails_is_tried_again_with_the_same_message_id(cast, monkeypatch):
    mention(cast)
    sent = []

    def fail(self, messages):
        sent.append(messages[0].extra_headers["Message-ID"])
        raise OSError("the server at mate@acme.example is away")

    monkeypatch.setattr(EmailBackend, "send_messages", fail)
    relay()
    for delivery in claim("mail"):
        run(delivery)
    waiting = Delivery.objects.unscoped().get()
    assert (waiting.state, waiting.attempts) == (State.PENDING, 1)
    assert "mate@" not in waiting.last_error
    monkeypatch.undo()
    Delivery.objects.unscoped().update(due_at="2020-01-01T00:00Z")
    drain()
    assert [message.extra_headers["Message-ID"] for message in mail.outbox] == sent


def test_a_delivery_that_comes_twice_mails_once(acme, cast, actor, published):
    mention(cast)
    (event,) = published("notification.made")
    for _ in range(2):
        mail_now(event, by=actor("admin"))
    assert len(mail.outbox) == 1


def test_who_chose_the_bell_gets_no_mail_and_who_chose_nothing_no_bell(acme, cast, actor, published):
    choose_channels({"mentioned": "bell"}, by=actor("mate"))
    choose_channels({"mentioned": "nothing"}, by=actor("manager"))
    item = mention(cast, "mate @manager")
    assert (item.recipient, item.mail) == (cast.mate, None)
    assert published("notification.made") == []


def test_a_mail_names_no_record_that_its_reader_has_lost_sight_of(acme, cast, actor, published):
    item = mention(cast)
    assign(Contact.objects.filter(pk=item.entity_id), cast.outsider, by=actor("manager"), team=cast.nordics)
    mail_now(published("notification.made")[0], by=actor("admin"))
    (message,) = mail.outbox
    assert message.subject == "Rep mentioned you on a record"
    assert "Ruiz" not in message.body + message.alternatives[0][0]
    assert "You no longer have access to this record." in message.body
