"""Histories of leads, made through the verbs at past times."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contacts.models import Contact
from contacts.verbs.override import override
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.errors import DomainError
from crm.opportunities.models import Opportunity
from crm.opportunities.moves import move_to
from crm.opportunities.verbs.reopen import reopen
from crm.records.verbs.edit import edit
from leads.models import Lead
from leads.verbs.convert import convert
from leads.verbs.first_contact import first_contact
from leads.verbs.lose_leads import lose_leads
from leads.verbs.qualify import qualify
from leads.verbs.reactivate import reactivate
from tests.factories import make_contact, manager

END = datetime(2026, 6, 30, 12, tzinfo=UTC)
SOURCES = ("Web", "web", "Fair", "", 'a "b", (c)')
OFTEN = ("first_contact", "qualify", "convert", "win")
STEPS = (*OFTEN, "lose", "lose_deal", "reopen_deal", "reactivate", "stage", "churn")


def live(cast: Any, at: datetime, moves: Sequence[tuple[str, float]], **values: Any) -> Contact:
    """Create a contact at a time, with moves each some days after the previous."""
    with clock.at(at):
        contact = make_contact(by=cast.manager.actor(Channel.WEB), **values)
    for step, days in moves:
        at += timedelta(days=days)
        if at > END:
            break
        with clock.at(at):
            _take(step, contact)
    return contact


def _take(step: str, contact: Contact) -> None:
    """Take one step; skip it if the rules forbid it."""
    people, by = Contact.objects.filter(pk=contact.pk), manager()
    leads, deals = Lead.objects.filter(contact=contact), Opportunity.objects.filter(contact=contact)
    try:
        if step == "first_contact":
            first_contact(leads, by=by)
        elif step == "qualify":
            qualify(leads, to="sales_qualified", by=by, reason="They called")
        elif step == "convert":
            convert(leads, by=by, values={"amount": "1200.50", "close_date": clock.now().date()})
        elif step == "win":
            move_to(deals, to="won", by=by)
        elif step == "lose":
            lose_leads(leads, by=by, reason="Price" if contact.pk % 2 else "")
        elif step == "lose_deal":
            move_to(deals, to="lost", by=by, reason="Chose, “another”\nvendor")
        elif step == "reopen_deal":
            reopen(deals, by=by, reason="They came back")
        elif step == "reactivate":
            reactivate(leads, by=by, reason="They came back")
        elif step == "stage":
            move_to(deals, to="proposal", by=by)
        else:
            override(people, to="churned", by=by, reason="They left")
    except DomainError:
        pass


def people(cast: Any, random: Any, count: int) -> None:
    """Create contacts of different owners, teams and sources, with histories over the last months."""
    owners = (None, cast.rep, cast.mate, cast.outsider)
    for _ in range(count):
        owner, source = random.choice(owners), random.choice(SOURCES)
        moves = [(random.choice(STEPS), random.uniform(0.01, 20)) for _ in range(random.randint(0, 6))]
        path = [("first_contact", 1.0), ("qualify", 3.0), ("convert", 2.0), ("win", 9.0)][: random.randint(0, 4)]
        at = END - timedelta(days=random.uniform(0, 200))
        team = random.choice((None, None, cast.iberia, cast.nordics))
        role = random.choice(("", "champion", "decision_maker"))
        contact = live(cast, at, path + moves, owner=owner, team=team, source=source, role=role)
        lead = Lead.objects.filter(contact=contact, status__in=("new", "working", "qualified", "lost"))
        extra = {"country": random.choice(("DE", "ES", "")), "campaign": random.choice(("Spring", ""))}
        with clock.at(END):
            edit(lead, extra, by=manager())
