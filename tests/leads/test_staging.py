"""restage(): DESIGN 1.2 and source 003, Stage Calculation and Auto-Sync Rules."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from crm.kit import clock
from crm.kit.actor import system
from crm.lifecycle.guards import install_shipped
from crm.lifecycle.models import Transition
from crm.records.verbs.delete import delete
from leads.models import Lead
from leads.staging import restage
from leads.verbs.convert import convert
from leads.verbs.qualify import qualify
from tests.factories import make_contact, rows
from tests.leads.factories import make_lead, put, ready, score

STATUSES = ("new", "working", "qualified", "converted", "lost")
STAGES = ("top_of_funnel", "marketing_qualified", "sales_qualified", "opportunity")
BY_SCORE = {398: "top_of_funnel", 400: "marketing_qualified", 698: "marketing_qualified", 700: "sales_qualified"}
# The statuses passed at each stage, by DESIGN 1.2's table.
PASSED = {
    ("new", "marketing_qualified"): ["working"],
    ("new", "sales_qualified"): ["working", "qualified"],
    ("working", "sales_qualified"): ["qualified"],
}


def again(leads=None, by=None):
    return restage(Lead.objects.all() if leads is None else leads, by=by or system(Lead.objects.first().workspace_id))


def passed(lead, axis) -> list[str]:
    moves = Transition.objects.filter(entity="lead", axis=axis, record_id=lead.pk).exclude(from_value="")
    return list(moves.order_by("pk").values_list("to_value", flat=True))


@pytest.mark.parametrize("tenths", BY_SCORE)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", STATUSES)
def test_a_cell(status, stage, tenths, acme):
    lead = make_lead()
    if (status == "converted") != (stage == "opportunity") or status == "converted":
        with pytest.raises(IntegrityError), transaction.atomic():
            put(lead, status, stage)  # converted without an opportunity, or a stage without its status
        return
    put(lead, status, stage)
    score(lead, tenths)
    with transaction.atomic():
        moved = again()
    lead.refresh_from_db()
    to = stage if status == "lost" else BY_SCORE[tenths]
    way = [] if status == "lost" else PASSED.get((status, to), [])
    assert (lead.stage, lead.status) == (to, [status, *way][-1])
    assert passed(lead, "status") == way
    assert passed(lead, "stage") == ([to] if to != stage else [])
    assert sum(moved) == (to != stage) and moved.up == (STAGES.index(to) > STAGES.index(stage))
    assert bool(lead.qualified_date) == (to == "sales_qualified" and bool(way or to != stage))


def test_a_fall_is_told_and_leaves_the_status(acme):
    lead = make_lead(status="qualified", stage="sales_qualified")
    score(lead, 699)
    with transaction.atomic():
        assert again() == (0, 1)
    entry = Entry.objects.get(event="lead.restaged")
    assert (entry.old_values["stage"], entry.new_values["stage"]) == ("sales_qualified", "marketing_qualified")
    assert (entry.action, entry.person) == ("QUALIFY", lead.contact_id)
    lead.refresh_from_db()
    assert lead.status == "qualified"


def test_nothing_is_written_when_nothing_changes(acme):
    for tenths in (0, 450, 760):
        score(make_lead(), tenths)
    with transaction.atomic():
        assert again() == (2, 0)
    last = Entry.objects.latest("id").pk
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        assert again() == (0, 0)
    assert Entry.objects.latest("id").pk == last
    assert not [q for q in captured if q["sql"].startswith(("INSERT", "UPDATE"))]


def test_many_take_as_many_statements_as_few(acme):
    taken = []
    for count in (3, 3, 30):  # the first reads the guards
        for number in range(count):
            score(make_lead(), (100, 450, 760)[number % 3])
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            assert again() == (count // 3 * 2, 0)
        taken.append(len(captured))
    assert taken[1] == taken[2] < 40


def test_sales_qualified_qualifies_the_contact_through_its_guards(acme):
    install_shipped()
    ana, bo = make_contact("Ana"), make_contact("Bo", email="")
    for contact in (ana, bo):
        score(make_lead(contact), 760)
    with transaction.atomic():
        again()
    ana.refresh_from_db(), bo.refresh_from_db()
    assert (ana.lifecycle_stage, bo.lifecycle_stage) == ("qualified", "lead")
    assert set(Lead.objects.values_list("status", flat=True)) == {"qualified"}


def test_a_contact_further_on_stays_there(acme):
    contact = make_contact()
    lead = make_lead(contact)
    type(contact).objects.filter(pk=contact.pk).update(lifecycle_stage="customer")
    score(lead, 760)
    with transaction.atomic():
        again()
    contact.refresh_from_db()
    assert contact.lifecycle_stage == "customer"


def test_a_floor_holds_for_fourteen_days(acme, actor):
    lead = make_lead()
    qualify(rows(lead), to="marketing_qualified", by=actor("manager"), reason="They called us")
    with clock.at(clock.now() + timedelta(days=13, hours=23)), transaction.atomic():
        assert again() == (0, 0)
    score(lead, 750)
    with transaction.atomic():
        assert again() == (1, 0)
    score(lead, 100)
    with transaction.atomic():
        assert again() == (0, 1)
    lead.refresh_from_db()
    assert lead.stage == "marketing_qualified"
    with clock.at(clock.now() + timedelta(days=14, minutes=1)), transaction.atomic():
        assert again() == (0, 1)
    lead.refresh_from_db()
    assert lead.stage == "top_of_funnel"


def test_the_trash_is_left_alone(acme, actor):
    lead = make_lead()
    score(lead, 760)
    delete(rows(lead), by=actor("manager"), reason="twice")
    with transaction.atomic():
        assert again() == (0, 0)


def test_a_converted_lead_is_immune(acme, actor):
    lead = ready()
    convert(rows(lead), by=actor("manager"))
    score(lead, 100)
    with transaction.atomic():
        assert again() == (0, 0)
    assert Lead.objects.get(pk=lead.pk).stage == "opportunity"


def test_the_day_on_which_a_lead_was_qualified_is_that_of_the_first_time(acme, actor):
    lead = make_lead()
    score(lead, 720)
    with transaction.atomic():
        again()
    first = Lead.objects.get(pk=lead.pk).qualified_date
    for days, tenths in ((2, 300), (4, 720)):
        with clock.at(clock.now() + timedelta(days=days)), transaction.atomic():
            score(lead, tenths)
            again()
    assert (Lead.objects.get(pk=lead.pk).stage, Lead.objects.get(pk=lead.pk).qualified_date) == (STAGES[2], first)
    with clock.at(clock.now() + timedelta(days=5)):
        score(lead, 300)
        with transaction.atomic():
            again()
        qualify(rows(lead), to="sales_qualified", by=actor("rep"), reason="They called again")
    assert Lead.objects.get(pk=lead.pk).qualified_date == first
