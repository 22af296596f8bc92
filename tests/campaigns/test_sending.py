"""Sending: each recipient once, checked again at the time, with visible states."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.merge import merge
from contacts.verbs.set_status import set_status
from crm.campaigns import sending
from crm.campaigns.models import Campaign, CampaignPerson
from crm.campaigns.verbs.add_people import add_people
from crm.campaigns.verbs.cancel_campaign import cancel_campaign
from crm.campaigns.verbs.retry_campaign import retry_campaign
from crm.campaigns.verbs.send_campaign import send_campaign
from crm.campaigns.verbs.try_campaign import try_campaign
from crm.events.engine import drain
from crm.events.models import Delivery, Event
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from tests.campaigns.test_campaigns import churned
from tests.factories import make_contact, rows


def states() -> dict[str, tuple[str, str]]:
    people = CampaignPerson.objects.select_related("contact").order_by("pk")
    return {person.contact.name: (person.state, person.reason) for person in people}


def test_each_gets_their_mail_and_it_stands_in_the_timeline(sent, cast, sign_in):
    ana = churned("Ana Ruiz", first_name="Ana", email="ana@x.example", owner=cast.rep)
    churned("Bo", marketing_consent="")
    before = Contact.objects.get(pk=ana.pk).last_activity
    made = sent()
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["ana@x.example"], "Come back, Ana")
    assert letter.body.startswith("Dear Ana Ruiz,\n\nfrom ")
    assert letter.reply_to == [cast.manager.user.email]
    assert states() == {"Ana Ruiz": ("sent", ""), "Bo": ("left_out", "No marketing consent")}
    assert made.status == "sent"
    assert made.finished_at is not None
    page = sign_in("rep").get(ana.get_absolute_url()).content.decode()
    assert "sent the campaign" in page
    assert made.get_absolute_url() in page
    # A mass email is neither a conversation nor a sign of life.
    assert Contact.objects.get(pk=ana.pk).last_activity == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda row, by: set_status(row, "unsubscribed", by=by), "Unsubscribed"),
        (lambda row, by: set_status(row, "bounced", by=by), "Bounced"),
        (lambda row, by: edit(row, {"marketing_consent": ""}, by=by), "No marketing consent"),
        (lambda row, by: edit(row, {"email": ""}, by=by), "No email address"),
        (lambda row, by: delete(row, by=by, reason="Twice"), "In the trash"),
    ],
)
def test_it_is_asked_again_when_the_mail_is_about_to_leave(change, reason, campaign, actor):
    ana, _ = churned("Ana"), churned("Bo")
    send_campaign(campaign(), by=actor("manager"))
    change(rows(ana), actor("manager"))
    drain()
    assert states() == {"Ana": ("left_out", reason), "Bo": ("sent", "")}
    assert len(mail.outbox) == 1
    assert Campaign.objects.get().status == "sent"


def test_a_crash_after_sending_sends_the_same_message_again_and_writes_it_down_once(campaign, actor, monkeypatch):
    churned("Ana")
    send_campaign(campaign(), by=actor("manager"))
    settle = sending._sent
    monkeypatch.setattr(sending, "_sent", lambda person, by: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        drain()
    monkeypatch.setattr(sending, "_sent", settle)
    assert states() == {"Ana": ("waiting", "")}
    Delivery.objects.unscoped().update(due_at=timezone.now() - timedelta(seconds=1))
    drain()
    assert states() == {"Ana": ("sent", "")}
    assert len({letter.extra_headers["Message-ID"] for letter in mail.outbox}) == 1
    assert Entry.objects.filter(event="campaign.mailed").count() == 1


def test_a_worker_that_comes_second_sends_nothing(sent, actor):
    churned("Ana")
    sent()
    event = Event.objects.get(name="campaign_person.due")
    sending.deliver(event.entity_id, by=actor("manager"))
    assert len(mail.outbox) == 1


def fails(monkeypatch, error):
    def refuse(self, messages):
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)


def test_a_mail_server_that_is_down_is_tried_again_and_given_up_in_view(campaign, actor, monkeypatch):
    churned("Ana")
    made = send_campaign(campaign(), by=actor("manager"))
    with monkeypatch.context() as down:
        fails(down, ConnectionRefusedError("down"))
        for attempt in range(1, 11):
            Delivery.objects.unscoped().filter(done_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
            drain()
            assert CampaignPerson.objects.get().attempts == attempt
    assert states() == {"Ana": ("failed", "ConnectionRefusedError: down")}
    assert Campaign.objects.get().status == "sent"
    assert not Delivery.objects.unscoped().undone().filter(handler__contains="campaigns").exists()
    assert retry_campaign(made, by=actor("manager")) == 1
    drain()
    assert states() == {"Ana": ("sent", "")}
    assert len(mail.outbox) == 1
    assert Campaign.objects.get().status == "sent"


def test_an_address_that_is_refused_for_good_is_not_tried_again(campaign, actor, monkeypatch):
    churned("Ana", email="ana@x.example")
    send_campaign(campaign(), by=actor("manager"))
    fails(monkeypatch, SMTPRecipientsRefused({"ana@x.example": (550, b"No such user")}))
    drain()
    ((state, reason),) = states().values()
    assert (state, CampaignPerson.objects.get().attempts) == ("failed", 1)
    assert "ana@" not in reason


def test_what_is_cancelled_sends_no_more(campaign, actor):
    ana, _ = churned("Ana"), churned("Bo")
    made = send_campaign(campaign(), by=actor("manager"))
    first = CampaignPerson.objects.get(contact=ana)
    sending.deliver(first.pk, by=actor("manager"))
    assert cancel_campaign(made, by=actor("manager")) == 1
    drain()
    assert states() == {"Ana": ("sent", ""), "Bo": ("left_out", "Canceled")}
    assert len(mail.outbox) == 1
    assert Campaign.objects.get().status == "cancelled"


def test_who_is_added_while_it_is_sent_gets_it_too(campaign, actor):
    churned("Ana")
    made = send_campaign(campaign(), by=actor("manager"))
    late = [make_contact("Cy", marketing_consent="Given"), make_contact("Di")]
    add_people(made, rows(*late), by=actor("manager"))
    drain()
    assert states()["Cy"] == ("sent", "")
    assert states()["Di"] == ("left_out", "No marketing consent")
    assert len(mail.outbox) == 2


def test_a_test_goes_to_whoever_asks_and_to_nobody_else(campaign, actor, cast):
    churned("Ana Ruiz", first_name="Ana")
    try_campaign(campaign(), by=actor("manager"))
    drain()
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([cast.manager.user.email], "Test: Come back, Ana")
    assert "List-Unsubscribe" not in letter.extra_headers
    assert not CampaignPerson.objects.exists()


def test_a_merge_takes_along_what_was_sent_and_its_undo_brings_it_back(sent, actor):
    ana, bo, both = churned("Ana"), churned("Bo"), churned("Both")
    first = sent(name="First")
    CampaignPerson.objects.filter(contact=ana).delete()
    by = actor("manager")
    merge(ana, rows(bo, both), by=by)
    mine = CampaignPerson.objects.filter(campaign=first, contact=ana)
    assert mine.count() == 1
    undo(by.change, by=actor("manager"))
    assert not mine.exists()
    assert {person.contact_id for person in first.people.all()} == {bo.pk, both.pk}


def test_who_was_merged_away_before_their_mail_left_gets_none(campaign, actor):
    ana, bo = churned("Ana"), churned("Bo")
    send_campaign(campaign(), by=actor("manager"))
    merge(ana, rows(bo), by=actor("manager"))
    drain()
    assert states() == {"Ana": ("sent", ""), "Bo": ("left_out", "In the trash")}
    assert len(mail.outbox) == 1
