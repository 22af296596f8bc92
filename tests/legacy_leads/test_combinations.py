"""Every combination of legacy lead values: the result matches the plan row by row, with correct sums."""

from collections import Counter
from decimal import Decimal
from itertools import product
from random import Random

import pytest
from django.utils import timezone

from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import system
from crm.legacy_leads.models import LegacyLead, OldLeads
from crm.legacy_leads.moving.run import Order, commit, dry_run
from crm.opportunities.models import Opportunity
from crm.records.verbs.delete import delete
from leads.models import Lead
from tests.factories import make_contact, make_opportunity, manager, rows

LINKS = ("nobody", "prospect", "twice", "with opportunity", "customer", "in the trash", "without e-mail")
MAILS = ("none", "of its own", "of its contact", "shared", "SHARED", "broken")
VALUES = (None, Decimal(), Decimal("1500.50"))
STATUSES = ("new", "working", "qualified", "converted", "lost")
KEPT = ("live", "archived", "trashed")


@pytest.fixture
def every_lead(acme):
    """Create a legacy lead per combination, in random order."""
    now, made = timezone.now(), []
    for number, (link, mail, value, status, kept) in enumerate(product(LINKS, MAILS, VALUES, STATUSES, KEPT)):
        contact = contact_of(link, number, kept)
        lead = LegacyLead(
            workspace=acme,
            name="" if number % 97 == 0 else f"Lead {number}",
            email=mail_of(mail, number, contact),
            contact=contact,
            status=status,
            estimated_value=value,
            currency=("EUR", "USD")[number % 2],
            source="Fair" * (number % 3 == 0),
            description=f"Text {number}",
            company_name=f"Firm {number % 40}" * (number % 4 == 0),
            archived_at=now if kept == "archived" else None,
            deleted_at=now if kept == "trashed" else None,
            created_at=now,
            updated_at=now,
        )
        lead.search_text = lead.name_key = lead.name.lower()
        made.append(lead)
    Random(7).shuffle(made)
    LegacyLead.objects.bulk_create(made)
    OldLeads.objects.create(since=now)
    delete(rows(shared["in the trash"]), by=manager(), reason="Twice")
    return made


shared: dict[str, Contact] = {}


def contact_of(link: str, number: int, kept: str) -> Contact | None:
    """Return a lead's linked contact: its own if relevant, otherwise one per kind."""
    if number == 0:
        shared.clear()
    if link == "nobody":
        return None
    if link in ("prospect", "without e-mail") and kept == "live":
        return make_contact(f"Own {number}", **({} if link == "prospect" else {"email": ""}))
    if link not in shared:
        shared[link] = make_contact(link, stage="customer" if link == "customer" else "lead")
        if link == "with opportunity":
            make_opportunity(contact=shared[link])
    return shared[link]


def mail_of(mail: str, number: int, contact: Contact | None) -> str:
    return {
        "none": "",
        "of its own": f"lead{number}@x.example",
        "of its contact": contact.email.title() if contact else "",
        "shared": f"both{number // 180}@x.example",
        "SHARED": f"BOTH{number // 180}@X.example",
        "broken": f"broken {number} @@",
    }[mail]


@pytest.mark.parametrize(("batch_size", "include_lost"), [(0, False), (7, True), (400, True)])
def test_the_plan_equals_the_outcome(batch_size, include_lost, every_lead, acme):
    planned = {}

    def tell(step):
        contact = step.contact and step.contact.pk
        planned[step.lead.pk] = (step.outcome, step.why, step.value_note, step.opportunity, contact)

    order = Order(include_lost=include_lost, batch_size=batch_size, told=tell)
    with clock.at(timezone.now()):
        expected = dry_run(order, by=system(acme.pk))
        figures, _ = commit(order, by=system(acme.pk))
    assert len(planned) == len(every_lead) == len(LINKS) * len(MAILS) * len(VALUES) * len(STATUSES) * len(KEPT)
    assert figures.report() == expected.report()
    met, makers = Counter(), {}
    for lead in LegacyLead.objects.order_by("created_at", "pk"):
        outcome, why, note, opportunity, contact = planned[lead.pk]
        assert (lead.outcome, lead.outcome_note, lead.value_note) == (outcome, why, note), lead
        assert (lead.became_opportunity_id is not None) == opportunity
        assert contact in (None, lead.became_contact_id) or outcome == "left"
        met[outcome, opportunity] += 1
        if outcome == "created":
            makers[lead.became_contact_id] = lead.pk
    assert {outcome for outcome, _ in met} == {"created", "reused", "left", "refused"}
    assert met["reused", True] > 30
    assert len(makers) == figures.counts["created"]  # one contact each
    assert Opportunity.objects.filter(legacy_leads__isnull=False).count() == figures.counts["opportunities"]
    money_is_there(figures)
    prospects = Contact.objects.live().filter(lifecycle_stage="lead", legacy_leads__status__in=STATUSES[:3])
    cycles = Lead.objects.open().filter(contact__in=prospects).values("contact").distinct().count()
    assert cycles == prospects.distinct().count()
    again, nothing = commit(order, by=system(acme.pk))
    assert (nothing, again.moves) == (None, 0)


def money_is_there(figures) -> None:
    """Check that every currency's sum in the table is in the figures, as opportunities or listed."""
    for currency in ("EUR", "USD"):
        all_of_it = sum(
            (lead.estimated_value or Decimal() for lead in LegacyLead.objects.filter(currency=currency)), Decimal()
        )
        made = figures.amounts["amount_opportunities"][currency]
        deals = Opportunity.objects.filter(legacy_leads__isnull=False, currency=currency)
        assert sum((deal.amount for deal in deals), Decimal()) == made
        assert all_of_it == figures.amounts["amount_in"][currency] == made + figures.amounts["amount_listed"][currency]
