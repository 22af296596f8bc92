"""The company's page: its tree, and what happened and comes next with its people."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils.html import strip_tags

from contacts.family import family
from contacts.timeline import of_company
from contacts.verbs.merge import merge
from crm.kit import clock
from tests.factories import make_activity, make_company, make_contact, make_opportunity


@pytest.fixture
def company(acme, cast):
    """Return a company with a person whom all see, and one of another team."""
    found = make_company("Fleetly", owner=cast.rep)
    make_contact("Ana", company=found, owner=cast.rep)
    make_contact("Secret", company=found, owner=cast.outsider, team=cast.nordics)
    return found


def people(company):
    return {contact.name: contact for contact in company.contacts.all()}


def shown(company, client: Client):
    return client.get(company.get_absolute_url())


def test_the_timeline_tells_of_peoples_activities_with_their_names(company, actor):
    make_activity("Demo", contact=people(company)["Ana"])
    make_activity("Visit", kind="meeting", company=company)
    items, _tasks, _more = of_company(company, actor("manager"))
    told = {
        item.activity.subject: (strip_tags(item.sentence), [name for name, url in item.about])
        for item in items
        if item.activity
    }
    assert told == {"Demo": ("Manager logged a call", ["Ana"]), "Visit": ("Manager logged a meeting", [])}


def test_a_rep_sees_nothing_of_other_teams(company, cast, sign_in):
    secret = people(company)["Secret"]
    now = clock.now()
    make_activity("Secret call", contact=secret, occurred_at=now)
    make_activity("Secret step", kind="task", contact=secret, assignee=cast.rep, due_at=now)
    make_activity("Secret both", kind="meeting", contact=secret, company=company)
    make_activity("Open call", contact=people(company)["Ana"], occurred_at=now - timedelta(days=1))
    make_opportunity("Secret deal", contact=secret, company=company, amount="70000", team=cast.nordics)
    page = shown(company, sign_in("rep"))
    assert "Secret" not in page.content.decode() and "70,000" not in page.content.decode()
    assert page.context["last_contact"].subject == "Open call" and page.context["next_step"] is None
    everything = shown(company, sign_in("manager")).content.decode()
    assert all(text in everything for text in ("Secret call", "Secret step", "Secret both", "70,000"))


def test_someone_merged_into_a_hidden_contact_takes_their_activities_along(company, cast, actor, sign_in):
    found = people(company)
    make_activity("Was open", contact=found["Ana"])
    assert "Was open" in shown(company, sign_in("rep")).content.decode()
    merge(found["Secret"], type(found["Ana"]).objects.filter(pk=found["Ana"].pk), by=actor("manager"))
    assert "Was open" not in shown(company, sign_in("rep")).content.decode()
    assert "Was open" in shown(company, sign_in("manager")).content.decode()


def test_the_last_contact_is_a_conversation_and_the_next_step_the_owners(company, cast, sign_in):
    ana, now = people(company)["Ana"], clock.now()
    for days, subject, more in (
        (5, "Held", {"kind": "meeting"}),
        (3, "Missed", {"outcome": "no_answer"}),
        (2, "Noted", {"kind": "note"}),
    ):
        make_activity(subject, contact=ana, occurred_at=now - timedelta(days=days), **more)
    for days, assignee in ((1, cast.mate), (3, cast.rep), (2, cast.rep)):
        make_activity(f"In {days} d", kind="task", contact=ana, assignee=assignee, due_at=now + timedelta(days=days))
    page = shown(company, sign_in("rep"))
    assert (page.context["last_contact"].subject, page.context["next_step"].subject) == ("Held", "In 2 d")


def test_amounts_are_sums_per_currency_of_the_lists_they_open(company, sign_in):
    ana = people(company)["Ana"]
    for name, amount, currency, stage in (
        ("First", "100", "EUR", "prospecting"),
        ("Second", "250", "EUR", "proposal"),
        ("Third", "7000", "EUR", "won"),
        ("Fourth", "30", "USD", "prospecting"),
        ("Fifth", "999", "EUR", "lost"),
    ):
        make_opportunity(name, contact=ana, company=company, amount=amount, currency=currency, stage=stage)
    make_opportunity("Elsewhere", amount="5")
    client = sign_in("rep")
    page = shown(company, client).content.decode()
    told = " ".join(strip_tags(page).split())
    assert "Open (EUR) €350 Won (EUR) €7,000 Open (USD) $30 Won (USD) $0" in told
    lists = [client.get(unescape(link)) for link in re.findall(r'href="([^"]*won_at[^"]*)"', page)]
    names = ("First", "Second", "Third", "Fourth", "Fifth", "Elsewhere")
    listed = [[name for name in names if name in response.content.decode()] for response in lists]
    assert listed == [["First", "Second"], ["Third"], ["Fourth"], []]


def test_the_tree_shows_parents_and_subsidiaries_as_far_as_visible(company, cast, actor):
    top = make_company("Top", team=cast.nordics)
    middle = make_company("Middle", parent=top)
    type(company).objects.filter(pk=company.pk).update(parent=middle)
    low = make_company("Low", parent=company)
    make_company("Lowest", parent=low), make_company("Hidden", parent=company, team=cast.nordics)
    company.refresh_from_db()

    def tree(relative):
        return (relative.company.name, relative.is_self, relative.is_seen, [tree(each) for each in relative.below])

    own = ("Fleetly", True, True, [("Low", False, True, [("Lowest", False, True, [])])])
    assert tree(family(company, actor("rep"))) == ("Top", False, False, [("Middle", False, True, [own])])
    below = tree(family(company, actor("manager")))[3][0][3][0][3]
    assert [name for name, *_ in below] == ["Hidden", "Low"]
    assert family(make_company("Alone"), actor("rep")) is None
