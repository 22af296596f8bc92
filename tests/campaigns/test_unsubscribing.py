"""Unsubscribing: a signed link in each email, one click for email clients, and nothing to guess."""

import re

import pytest
from django.core import mail
from django.test import Client

from audit.models import Entry
from contacts.models import Contact, EngagementEvent
from contacts.verbs.merge import merge
from crm.campaigns.models import CampaignPerson
from crm.records.verbs.delete import delete
from tests.campaigns.test_campaigns import churned
from tests.factories import make_contact, rows


@pytest.fixture
def ana(acme):
    return churned("Ana Ruiz")


@pytest.fixture
def link(ana, sent) -> str:
    sent()
    address = mail.outbox[0].extra_headers["List-Unsubscribe"].strip("<>")
    assert address in mail.outbox[0].body
    return re.sub("^https?://[^/]+", "", address)


def said(path: str) -> str:
    """Return the page's response to a POST, without the frame."""
    return re.search("<main.*</main>", Client().post(path).content.decode(), re.DOTALL)[0]


def status(contact) -> str:
    return Contact.objects.get(pk=contact.pk).status


@pytest.mark.parametrize("signed_in", [False, True])
def test_looking_changes_nothing_and_the_button_does_it(link, ana, sign_in, signed_in):
    client = sign_in("globex_rep") if signed_in else Client()
    page = client.get(link)
    assert (page.status_code, status(ana)) == (200, "active")
    assert "Ana Ruiz" not in page.content.decode()
    assert "You’re unsubscribed" in client.post(link).content.decode()
    assert status(ana) == "unsubscribed"
    assert CampaignPerson.objects.get().state == "unsubscribed"
    entry = Entry.objects.get(event="contact.status_changed")
    assert (entry.channel, entry.member_id, entry.note) == ("mail", None, "Unsubscribe link in “Spring”")
    assert EngagementEvent.objects.filter(contact=ana, kind="unsubscribed").count() == 1


def test_a_mail_program_unsubscribes_with_one_post(link, ana):
    assert mail.outbox[0].extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert status(ana) == "unsubscribed"


def test_doing_it_again_is_harmless(link, ana):
    for _ in range(3):
        assert Client().post(link).status_code == 200
    assert Entry.objects.filter(event="contact.status_changed").count() == 1
    assert EngagementEvent.objects.filter(kind="unsubscribed").count() == 1


def test_a_link_that_was_never_made_leads_nowhere_and_says_nothing(link, ana, acme):
    token = link.rpartition("/")[2]
    other = f"{int(token.partition(':')[0]) + 1}:{token.partition(':')[2]}"
    pages = {said(f"/unsubscribe/{wrong}") for wrong in (other, token[:-1], "x", "1:2:3")}
    CampaignPerson.objects.all().delete()
    pages.add(said(link))
    assert len(pages) == 1
    assert Client().get(link).status_code == 404
    assert status(ana) == "active"


def test_who_was_merged_unsubscribes_the_survivor(link, ana, actor):
    merge(make_contact("Survivor"), rows(ana), by=actor("manager"))
    Client().post(link)
    assert status(Contact.objects.get(name="Survivor")) == "unsubscribed"


def test_who_stayed_with_the_duplicate_unsubscribes_the_survivor_too(ana, sent, actor):
    other = churned("Other")
    sent()
    links = [re.sub("^<https?://[^/]+|>$", "", letter.extra_headers["List-Unsubscribe"]) for letter in mail.outbox]
    merge(ana, rows(other), by=actor("manager"))
    assert CampaignPerson.objects.filter(contact=other).exists()
    Client().post(links[1])
    assert status(ana) == "unsubscribed"


def test_one_in_the_trash_stays_unsubscribed(link, ana, actor):
    delete(rows(ana), by=actor("manager"), reason="Twice")
    Client().post(link)
    assert status(ana) == "unsubscribed"
    assert Entry.objects.filter(event="contact.status_changed").count() == 1
