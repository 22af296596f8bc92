"""migrate_leads: the result of each legacy lead, without lost leads or money (source 000, steps 1 to 3)."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from contacts.models import Contact
from crm.kit import clock
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.opportunities.models import Opportunity
from crm.records.verbs.delete import delete
from leads.models import Lead
from tests.factories import make_company, make_contact, make_opportunity, manager, rows

JANUARY, FEBRUARY, MARCH = (datetime(2025, month, 1, 10, tzinfo=UTC) for month in (1, 2, 3))


def counts(report):
    return tuple(report[name] for name in ("leads", "created", "reused", "left", "refused", "opportunities"))


def amounts(report):
    return tuple(report[f"amount_{name}"] for name in ("in", "opportunities", "listed"))


def test_an_active_lead_becomes_a_contact_at_lead_with_a_cycle(old, migrate, cast):
    facts = {"email": "ana@x.example", "phone": "+49 30 1", "source": "Trade fair", "description": "Wants 20 vans"}
    lead = old("Ana Ruiz", at=JANUARY, company_name="Fleetly", owner=cast.rep, external_id="L-1", **facts)
    assert counts(migrate(commit=True)[1]) == (1, 1, 0, 0, 0, 0)
    ana = Contact.objects.get()
    assert (ana.name, ana.email, ana.phone, ana.source) == ("Ana Ruiz", "ana@x.example", "+49 30 1", "Trade fair")
    assert (ana.lifecycle_stage, ana.owner, ana.company.name) == ("lead", cast.rep, "Fleetly")
    assert (ana.notes, ana.created_at) == ("Source: Trade fair\nWants 20 vans", JANUARY)
    cycle = Lead.objects.get()
    assert (cycle.contact, cycle.status, cycle.source, cycle.owner) == (ana, "new", "Trade fair", cast.rep)
    assert (cycle.description, cycle.external_id, cycle.created_at) == ("Wants 20 vans", "L-1", JANUARY)
    assert cycle.contact_by is None  # old leads need no first contact
    lead.refresh_from_db()
    assert (lead.became_contact, lead.became_opportunity) == (ana, None)
    assert lead.archived_at
    entry = Entry.objects.get(event="legacy_lead.migrated")
    assert (entry.entity_id, entry.person, entry.new_values["became_contact"]) == (lead.pk, ana.pk, ana.pk)


def test_without_commit_nothing_is_written(old, migrate):
    old(estimated_value="10", company_name="Fleetly")
    last = Entry.objects.latest("id").pk
    status, report = migrate()
    assert (status, counts(report), report["committed"]) == (0, (1, 1, 0, 0, 0, 0), False)
    assert Entry.objects.latest("id").pk == last
    assert not Contact.objects.exists() and not MigrationRun.objects.exists()


def test_a_plan_says_what_the_commit_then_does(old, migrate):
    bo = make_contact("Bo", email="bo@x.example")
    make_opportunity(contact=make_contact("Cy", email="cy@x.example"))
    for number in range(3):
        old(f"Ana {number}", email="ana@x.example", estimated_value="5")
        old(f"Bo {number}", contact=bo, estimated_value=str(number))
        old(f"Cy {number}", email="cy@x.example", status=("new", "lost", "converted")[number], estimated_value="7")
    plan = migrate(batch_size=2)[1]
    done = migrate(commit=True, batch_size=2)[1]
    assert plan | {"committed": True} == done
    assert counts(done) == (9, 1, 6, 2, 0, 1)


@pytest.mark.parametrize("batch_size", [1, 2, 0])
def test_several_leads_of_one_person_are_one_contact(batch_size, old, migrate):
    old("Ana", email="ana@x.example", at=FEBRUARY, source="Web", estimated_value="50", phone="1")
    old("Ana Ruiz", email="ANA@x.example", at=JANUARY, source="Fair", description="First", estimated_value="70")
    old("A. Ruiz", email="ana@x.example", at=MARCH, description="Third", company_name="Fleetly")
    status, report = migrate(commit=True, batch_size=batch_size)
    assert (status, counts(report)) == (0, (3, 1, 2, 0, 0, 0))
    ana = Contact.objects.get()
    assert (ana.name, ana.phone, ana.company.name, ana.created_at) == ("Ana Ruiz", "1", "Fleetly", JANUARY)
    assert ana.notes == "Source: Fair\nFirst\n\nSource: Web\n\nThird"
    cycle = Lead.objects.get()
    assert (cycle.source, cycle.description, cycle.estimated_value) == ("Fair", "First", 70)
    assert LegacyLead.objects.filter(became_contact=ana, archived_at__isnull=False).count() == 3


def test_a_linked_contact_is_reused_and_keeps_what_it_has(old, migrate, cast):
    ana = make_contact("Ana", stage="qualified", email="ana@x.example", phone="1", notes="Prefers mail", source="Web")
    old("Anna", contact=ana, email="other@x.example", phone="2", source="Fair", description="Vans", owner=cast.rep)
    assert counts(migrate(commit=True)[1]) == (1, 0, 1, 0, 0, 0)
    ana = Contact.objects.get()
    assert (ana.name, ana.email, ana.phone, ana.source) == ("Ana", "ana@x.example", "1", "Web")
    assert (ana.lifecycle_stage, ana.owner) == ("qualified", cast.rep)
    assert ana.notes == "Prefers mail\n\nSource: Fair\nVans"


def test_blanks_of_a_reused_contact_are_filled_but_not_with_an_e_mail_that_somebody_has(old, migrate):
    ana, bo = make_contact("Ana", email=""), make_contact("Bo", email="bo@x.example")
    cy = make_contact("Cy", email="")
    old("Ana", contact=ana, email="bo@x.example", phone="7")
    old("Cy", contact=cy, email="cy@x.example")
    old("Cy again", email="cy@x.example")
    assert counts(migrate(commit=True)[1]) == (3, 0, 3, 0, 0, 0)
    found = dict(Contact.objects.values_list("pk", "email"))
    assert found == {ana.pk: "", bo.pk: "bo@x.example", cy.pk: "cy@x.example"}
    assert Contact.objects.get(pk=ana.pk).phone == "7"


def test_a_reused_prospect_without_an_open_cycle_gets_one_and_others_do_not(old, migrate):
    prospect, customer = make_contact("Ana", stage="qualified"), make_contact("Bo", stage="customer")
    Lead.objects.all().delete()
    old("Ana", contact=prospect, status="working", estimated_value="5", currency="USD", source="Fair", at=JANUARY)
    old("Bo", contact=customer)
    migrate(commit=True)
    cycle = Lead.objects.get()
    assert (cycle.contact, cycle.status, cycle.source, cycle.created_at) == (prospect, "working", "Fair", JANUARY)
    assert (cycle.estimated_value, cycle.currency) == (5, "USD")
    assert Contact.objects.get(pk=customer.pk).lifecycle_stage == "customer"


def test_a_value_makes_an_opportunity_for_a_linked_contact_without_any(old, migrate, cast):
    company = make_company("Fleetly")
    ana = make_contact("Ana", company=company)
    lead = old("Ana", contact=ana, estimated_value="1500.50", currency="USD", source="Fair", owner=cast.rep)
    status, report = migrate(commit=True)
    deal = Opportunity.objects.get()
    assert (deal.contact, deal.company, deal.stage, deal.owner) == (ana, company, "qualification", cast.rep)
    assert (deal.amount, deal.currency, deal.name) == (Decimal("1500.50"), "USD", "Fleetly, Fair")
    assert amounts(report) == ({"USD": "1500.50"}, {"USD": "1500.50"}, {})
    lead.refresh_from_db()
    assert (status, lead.became_opportunity) == (0, deal)


@pytest.mark.parametrize("batch_size", [1, 0])
def test_every_other_value_is_listed_with_its_reason(batch_size, old, migrate):
    ana, bo, cy = make_contact("Ana"), make_contact("Bo"), make_contact("Cy")
    make_opportunity(contact=bo, stage="lost")
    old("linked, earliest", contact=ana, estimated_value="1", at=JANUARY)
    old("linked, later", contact=ana, estimated_value="2", at=FEBRUARY)
    old("has one", contact=bo, estimated_value="4")
    old("not linked", email="new@x.example", estimated_value="8")
    old("by e-mail alone", email=cy.email, estimated_value="16")
    old("over", status="converted", contact=cy, estimated_value="32")
    old("worth nothing", contact=cy, estimated_value="0")
    report = migrate(commit=True, batch_size=batch_size)[1]
    assert amounts(report) == ({"EUR": "63.00"}, {"EUR": "1.00"}, {"EUR": "62.00"})
    assert Opportunity.objects.get(contact=ana).amount == 1
    assert dict(LegacyLead.objects.exclude(value_note="").values_list("name", "value_note")) == {
        "linked, later": "An earlier lead of this contact created the opportunity.",
        "has one": "The contact already has an opportunity.",
        "not linked": "No contact was linked to the lead.",
        "by e-mail alone": "No contact was linked to the lead.",
        "over": "Not active: Converted.",
    }


def test_what_is_not_active_is_left(old, migrate):
    old("lost", status="lost")
    old("converted", status="converted")
    old("archived", archived_at=MARCH)
    delete(rows(old("trashed")), by=manager(), reason="Twice")
    assert counts(migrate(commit=True)[1]) == (4, 0, 0, 4, 0, 0)
    assert not Contact.objects.exists()


def test_lost_leads_come_as_lost_contacts_when_they_are_asked_for(old, migrate):
    lead = old("Ana", status="lost", email="ana@x.example", description="No budget", at=JANUARY, estimated_value="9")
    old("Bo", status="lost", email="bo@x.example")
    old("Bo", email="bo@x.example")
    report = migrate(commit=True, include_lost=True)[1]
    assert (counts(report), amounts(report)[2]) == ((3, 2, 1, 0, 0, 0), {"EUR": "9.00"})
    ana, bo = Contact.objects.order_by("name")
    assert (ana.lifecycle_stage, ana.notes, bo.lifecycle_stage) == ("lost", "No budget", "lead")
    cycle = Lead.objects.get(contact=ana)
    assert (cycle.status, cycle.lost_date) == ("lost", max(JANUARY, lead.updated_at))
    assert Lead.objects.get(contact=bo).is_open


def test_who_cannot_be_moved_is_named_and_the_others_are_moved(old, migrate):
    gone = make_contact("Gone")
    old("Ana", contact=gone, estimated_value="5")
    old("", company_name="Fleetly")
    LegacyLead.objects.filter(company_name="Fleetly").update(name="")
    old("Bo")
    delete(rows(gone), by=manager(), reason="Twice")
    status, report = migrate(commit=True)
    assert (status, counts(report), report["committed"]) == (1, (3, 1, 0, 0, 2, 0), True)
    notes = LegacyLead.objects.filter(outcome="refused").order_by("pk").values_list("outcome_note", flat=True)
    assert list(notes) == [
        "The linked contact is in the trash. Restore it, or link another contact.",
        "The lead has neither a name nor an email.",
    ]
    assert amounts(report) == ({"EUR": "5.00"}, {}, {"EUR": "5.00"})


def test_a_second_run_changes_nothing(old, migrate):
    old("Ana", contact=make_contact("Ana"), estimated_value="5")
    old("Bo", status="lost")
    migrate(commit=True)
    last, updated = Entry.objects.latest("id").pk, list(LegacyLead.objects.values_list("pk", "version"))
    status, report = migrate(commit=True)
    assert (status, counts(report), report["committed"]) == (0, (2, 0, 0, 2, 0, 0), True)
    assert Entry.objects.latest("id").pk == last
    assert list(LegacyLead.objects.values_list("pk", "version")) == updated
    assert MigrationRun.objects.count() == 1


def test_what_is_added_later_takes_another_run(old, migrate):
    old("Ana", status="lost", email="ana@x.example")
    old("Bo")
    migrate(commit=True)
    assert counts(migrate(commit=True, include_lost=True)[1]) == (2, 1, 0, 1, 0, 0)
    assert [run.state for run in MigrationRun.objects.all()] == ["committed", "committed"]


def test_figures_that_do_not_add_up_are_not_committed(old, migrate, monkeypatch):
    from crm.legacy_leads.moving import carry

    old("Ana", contact=make_contact("Ana"), estimated_value="5")
    whole = carry._archive

    def forgetful(steps, made, run, by):
        for step in steps:
            step.value_note = ""
        whole(steps, {}, run, by)

    monkeypatch.setattr(carry, "_archive", forgetful)
    status, sentence = migrate(commit=True)
    assert status == 1
    assert sentence == "opportunities was counted as 1, but the table has 0. Nothing was committed."
    assert MigrationRun.objects.get().state == "running"


@pytest.mark.parametrize("who", ["rep", "manager"])
def test_only_an_admin_may(who, old, migrate, cast):
    old("Ana")
    sentence = "Only admins can migrate legacy leads."
    assert migrate(commit=True, user=f"{who}@acme.example") == (1, sentence)
    assert migrate(undo=True, user=f"{who}@acme.example") == (1, sentence)
    assert migrate(commit=True, user="admin@acme.example")[0] == 0


def test_no_such_workspace(old):
    old("Ana")
    with pytest.raises(CommandError, match="Workspace “acmee” not found") as error:
        call_command("migrate_leads", workspace="acmee", commit=True)
    assert (error.value.returncode, MigrationRun.objects.exists()) == (2, False)


@pytest.mark.parametrize("options", [{"commit": True}, {"undo": True}, {}])
def test_a_database_of_an_older_release(options, old, migrate, monkeypatch):
    old("Ana")
    last = Entry.objects.latest("id").pk
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["one"])
    sentence = "Database migrations are pending. Run manage.py migrate. No changes were made."
    assert migrate(**options) == (1, sentence)
    assert (Entry.objects.latest("id").pk, MigrationRun.objects.exists()) == (last, False)


def test_no_room_for_the_report_is_said_before_anything_is_changed(old, migrate):
    old("Ana")
    status, sentence = migrate(commit=True, report="/dev/full")
    assert (status, sentence) == (1, "/dev/full: No space left on device. No changes were made.")
    assert not MigrationRun.objects.exists()


def test_what_an_earlier_run_refused_is_no_failure_of_this_one(old, migrate):
    old("Ana", contact=make_contact("Gone"))
    old("Bo")
    delete(Contact.objects.filter(name="Gone"), by=manager(), reason="Twice")
    assert migrate(commit=True)[0] == 1
    status, report = migrate(commit=True)
    assert (status, counts(report)) == (0, (2, 0, 0, 1, 1, 0))


def test_leads_that_are_all_left_close_the_old_workspace(old, migrate):
    old("Ana", status="lost")
    assert counts(migrate(commit=True)[1]) == (1, 0, 0, 1, 0, 0)
    assert [run.state for run in MigrationRun.objects.all()] == ["committed"]
    assert migrate(commit=True)[0] == 0
    assert MigrationRun.objects.count() == 1


def test_a_batch_takes_as_many_statements_however_many_leads_it_has(old, migrate, time_machine):
    time_machine.move_to(clock.now(), tick=False)  # reads of the old table are written once a minute
    counts = []
    for size in (1, 2, 20):  # the first loads the rules into the cache
        for name in (f"{size}-{number}" for number in range(size)):
            facts = {"status": "working", "description": "Vans", "company_name": f"Firm {name}"}
            old(f"Linked {name}", contact=make_contact(f"Linked {name}"), estimated_value="5", **facts)
            old(f"Alone {name}", email=f"alone-{name}@x.example", **facts)
        with CaptureQueriesContext(connection) as statements:
            assert migrate(commit=True, batch_size=100)[1]["created"] == size
        counts.append(len(statements))
    assert counts[1] == counts[2]


def test_an_empty_workspace_has_nothing_to_migrate(migrate):
    status, report = migrate(commit=True)
    assert (status, counts(report), amounts(report)) == (0, (0,) * 6, ({}, {}, {}))
    assert not MigrationRun.objects.exists()


def test_the_report_file_has_every_lead(old, migrate, tmp_path):
    old("=1+1", email="ana@x.example", estimated_value="5")
    old("Bo", status="lost")
    for options in ({}, {"commit": True}):
        migrate(report=str(tmp_path / "report.csv"), **options)
        header, ana, bo = (tmp_path / "report.csv").read_text().splitlines()
        assert header.startswith("lead,external_id,name,email,status,estimated_value,currency,outcome,why")
        assert "'=1+1" in ana and "5.00,EUR,New contact" in ana and "No contact was linked to the lead." in ana
        assert "Not migrated,Not active: Lost." in bo


def test_the_printed_plan_names_leads_as_people_do(old):
    old("Ana Ruiz", email="ana@x.example")
    out = io.StringIO()
    call_command("migrate_leads", workspace="acme", stdout=out)
    [line] = [line for line in out.getvalue().splitlines() if "Becomes a new contact" in line]
    assert " Ana Ruiz: Becomes a new contact." in line
    assert "OldLead" not in out.getvalue()
