"""Leads in imports: columns of contacts, and opportunities bypassing guards (DESIGN 3)."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Contact
from contacts.verbs.override import override
from crm.kit.actor import Channel, system
from crm.kit.scope import workspace
from crm.lifecycle.models import Transition
from crm.lists.imports.running import new_run, run_import
from crm.opportunities.models import Opportunity
from leads.assignment.models import AssignmentRule
from leads.models import Lead
from leads.verbs.create_leads import create_leads as make_lead_of
from leads.verbs.lose_leads import lose_leads
from leads.verbs.save_assignment_rule import save_assignment_rule
from tests.contacts.files import counts, import_csv, refusals
from tests.factories import make_contact, rows
from tests.leads.factories import make_lead

HEADER = "external_id,name,email,lead.fleet_size,lead.country,lead.source,lead.estimated_value,lead.external_id\n"
MARCH, MAY = datetime(2018, 3, 1, 10, tzinfo=UTC), datetime(2018, 5, 1, 10, tzinfo=UTC)


def lead_of(external_id: str) -> Lead:
    return Lead.objects.get(contact__external_id=external_id)


def test_new_people_come_in_with_what_their_leads_are(acme):
    run = import_csv(HEADER + "a1,Ana,ana@x.example,120,ae,Expo,1500.50,L-1\na2,Bo,bo@x.example,,,,,\n")
    assert counts(run) == (2, 0, 0, 0)
    lead = lead_of("a1")
    assert (lead.fleet_size, lead.country, lead.source, lead.external_id) == (120, "AE", "Expo", "L-1")
    assert lead.estimated_value == Decimal("1500.50") and "expo" in lead.search_text
    [entry] = Entry.objects.filter(entity="lead", entity_id=lead.pk)
    assert (entry.event, entry.person, entry.change, entry.new_values["fleet_size"]) == (
        "lead.created",
        lead.contact_id,
        run.change,
        120,
    )


@pytest.mark.parametrize("mode, fleet_size, country", [("update", 120, "AE"), ("fill", 5, "AE"), ("skip", 5, "")])
def test_people_who_are_there(mode, fleet_size, country, acme):
    lead = make_lead(make_contact(external_id="a1"))
    Lead.objects.filter(pk=lead.pk).update(fleet_size=5)
    header = "external_id,lead.fleet_size,lead.country\n"
    run = import_csv(header + "a1,120,ae\n", on_match=mode)
    lead.refresh_from_db()
    assert (lead.fleet_size, lead.country) == (fleet_size, country)
    assert counts(run) == ((0, 0, 1, 0) if mode == "skip" else (0, 1, 0, 0))
    assert counts(import_csv(header + "a1,120,ae\n", on_match=mode)) == (0, 0, 1, 0)


def test_a_lead_that_was_just_opened_takes_all_of_its_row(acme):
    import_csv("external_id,name,source,lead.source\na1,Ana,web,Expo\n", on_match="fill")
    assert (lead_of("a1").source, lead_of("a1").contact.source) == ("Expo", "web")


def test_columns_fill_open_leads_and_those_that_a_row_tells_the_past_of(acme, actor):
    lost = make_lead(make_contact(external_id="a1"))
    lose_leads(rows(lost), by=actor("manager"))
    run = import_csv("external_id,name,stage,lead.fleet_size\na1,,,7\na2,Bo,Customer,7\n")
    assert counts(run) == (1, 0, 1, 0)
    assert any("open leads" in note for note in run.notes)
    bought = Lead.objects.get(fleet_size=7)
    assert (bought.contact.external_id, bought.status) == ("a2", "converted")


def test_what_does_not_fit_refuses_its_row(acme, cast):
    make_contact(external_id="a1", owner=cast.mate)
    run = import_csv(
        "external_id,name,lead.fleet_size,lead.country,lead.external_id\n"
        "a1,,5,,\na2,Bo,-5,,\na3,Cy,5,Elsewhere,\na4,Di,5,,L-1\na5,Ed,5,,L-1\n",
        by=cast.outsider.actor(Channel.IMPORT),
    )
    told = refusals(run)
    assert set(told) == {2, 3, 4, 6}
    assert "belongs to someone else" in told[2] and "0 or more" in told[3] and "valid country code" in told[4]
    assert Lead.objects.filter(external_id="L-1").count() == 1


def test_a_column_that_others_call_lead_source_stays_the_persons(acme):
    import_csv("external_id,name,Lead Source\na1,Ana,web\n")
    assert lead_of("a1").contact.source == "web"


def test_undoing_the_import_undoes_the_leads(acme, actor):
    lead = make_lead(make_contact(external_id="a1"))
    run = import_csv("external_id,lead.fleet_size\na1,120\n")
    undo(run.change, by=actor("manager"))
    lead.refresh_from_db()
    assert lead.fleet_size is None


def test_rules_see_what_the_file_says_of_new_leads(acme, cast, actor):
    """One entry with all values, before assignment, workflows and notifications."""
    made = AssignmentRule(condition="fleet_size >= 100 and country = AE and source = Expo", name="Large")
    made.people = [cast.mate.pk]
    save_assignment_rule(made, by=actor("admin"))
    import_csv(HEADER + "a1,Ana,,120,ae,Expo,,\na2,Bo,,12,ae,Expo,,\n")
    assert (lead_of("a1").owner, lead_of("a1").contact.owner) == (cast.mate, cast.mate)
    assert lead_of("a2").owner is None
    assert Entry.objects.filter(entity="lead", entity_id=lead_of("a1").pk).count() == 1


def test_a_lead_s_owner_in_the_file_goes_before_rules(acme, cast, actor):
    made = AssignmentRule(condition="source = Expo", name="Expo", people=[cast.mate.pk])
    save_assignment_rule(made, by=actor("admin"))
    import_csv("external_id,name,lead.source,lead.owner\na1,Ana,Expo,rep@acme.example\n")
    assert lead_of("a1").owner == cast.rep


class TestThePast:
    """Imported customers and lost contacts have matching leads."""

    FILE = (
        "external_id,name,stage,created_at,Customer since\n"
        "c1,Ana,Customer,2017-03-01 10:00,2018-05-01 10:00\nc2,Bo,Churned,2017-03-01 10:00,\n"
        "l1,Cy,Lost,2017-03-01 10:00,\np1,Di,Partner,2017-03-01 10:00,\nn1,Ed,Lead,,\n"
    )

    def told(self):
        leads = Lead.objects.select_related("contact").order_by("contact__external_id")
        return {lead.contact.external_id: (lead.status, lead.converted_date or lead.lost_date) for lead in leads}

    def test_new_people_come_with_closed_leads_dated_by_the_file(self, acme):
        trial = import_csv(self.FILE, dry_run=True)
        assert trial.notes == ["Leads converted: 2.", "Leads lost: 1."] and not Lead.objects.exists()
        run = import_csv(self.FILE)
        assert run.notes == trial.notes
        long_ago = datetime(2017, 3, 1, 10, tzinfo=UTC)
        assert self.told() == {
            "c1": ("converted", MAY),
            "c2": ("converted", long_ago),
            "l1": ("lost", long_ago),
            "n1": ("new", None),
        }
        assert lead_of("c1").created_at == long_ago and lead_of("c1").won_date == MAY
        assert lead_of("l1").lost_reason == "Imported from people.csv"
        assert counts(import_csv(self.FILE)) == (0, 0, 5, 0)

    def test_the_undo_removes_them(self, acme, actor):
        run = import_csv(self.FILE)
        undo(run.change, by=actor("manager"))
        assert not Lead.objects.exists()

    def test_to_tell_again_closes_what_stayed_open(self, acme):
        contact = make_contact(external_id="c1", stage="customer")
        run = import_csv("external_id,stage\nc1,Customer\n")
        assert (counts(run), run.notes) == ((0, 1, 0, 0), ["Leads converted: 1."])
        assert Lead.objects.get().won_date == contact.lifecycle_stage_since
        assert counts(import_csv("external_id,stage\nc1,Customer\n")) == (0, 0, 1, 0)

    def test_a_later_cycle_is_no_part_of_the_past(self, acme, actor):
        contact = make_contact(external_id="c1", stage="customer")
        import_csv("external_id,stage\nc1,Customer\n")
        override(rows(contact), to="lead", by=actor("manager"), reason="They came back")
        make_lead_of([{"contact": contact}], by=actor("manager"))
        override(rows(contact), to="customer", by=actor("manager"), reason="A slip")
        Contact.objects.update(lifecycle_stage_since=MAY)
        import_csv("external_id,stage\nc1,Customer\n")
        assert Lead.objects.open().count() == 1


class TestOpportunities:
    """With an override reason, an open lead becomes the file's opportunity."""

    HEADER = "external_id,name,contact,stage,created_at,won_at,lost_at\n"

    def bring(self, text, reason="", by=None):
        by = by or system(workspace().pk, Channel.IMPORT)
        file = io.BytesIO((self.HEADER + text).encode())
        run = new_run("opportunity", file, "deals.csv", by=by, override_reason=reason)
        run.save()
        return run_import(run, file, by=by)

    WON = "d-1,Vans,a-1,Won,2018-03-01T10:00:00Z,2018-05-01T10:00:00Z,\n"

    def test_won_past_the_guards(self, acme, actor):
        contact = make_contact(external_id="a-1")
        run = self.bring(self.WON, reason="Old CRM")
        lead, deal = Lead.objects.get(), Opportunity.objects.get()
        contact.refresh_from_db()
        assert (lead.status, lead.stage, lead.opportunity, lead.converted_date) == (
            "converted",
            "opportunity",
            deal,
            MARCH,
        )
        assert (contact.lifecycle_stage, deal.stage) == ("customer", "won")
        entry = Entry.objects.get(event="lead.converted")
        assert (entry.severity, entry.note, entry.at, entry.change) == ("warning", "Old CRM", MARCH, run.change)
        moves = Transition.objects.filter(entity="lead", verb="convert").order_by("axis")
        assert list(moves.values_list("axis", "from_value", "to_value", "at")) == [
            ("stage", "top_of_funnel", "opportunity", MARCH),
            ("status", "new", "converted", MARCH),
        ]
        undo(run.change, by=actor("manager"))
        assert Lead.objects.get().status == "new" and not Opportunity.objects.exists()

    def test_dated_by_the_win_where_the_file_says_nothing_else(self, acme):
        make_contact(external_id="a-1")
        self.bring("d-1,Vans,a-1,Won,,2018-05-01T10:00:00Z,\n", reason="Old CRM")
        assert Lead.objects.get().converted_date == MAY

    def test_without_a_reason_what_is_closed_converts_and_what_is_open_does_not(self, acme):
        for name in ("a-1", "b-1"):
            make_contact(external_id=name)
        run = self.bring(self.WON + "d-2,Cars,b-1,Proposal,2018-03-01T10:00:00Z,,\n")
        assert {lead.contact.external_id: lead.status for lead in Lead.objects.all()} == {
            "a-1": "converted",
            "b-1": "new",
        }
        entry = Entry.objects.get(event="lead.converted")
        assert (entry.severity, entry.note, entry.at) == ("info", None, MARCH)
        assert run.notes == ["Contacts moved to Customer: 1.", "Leads converted: 1."]

    def test_of_several_the_first_is_the_leads(self, acme):
        make_contact(external_id="a-1")
        self.bring("d-2,More vans,a-1,Proposal,2018-06-01T10:00:00Z,,\n" + self.WON, reason="Old CRM")
        assert Lead.objects.get().opportunity.external_id == "d-1"
        self.bring("d-3,Cars,a-1,Proposal,2018-01-01T10:00:00Z,,\n", reason="Old CRM")
        assert Lead.objects.get().opportunity.external_id == "d-1"

    def test_what_is_older_dates_people_who_came_without_a_date(self, acme):
        import_csv("external_id,name,stage\na-1,Ana,Customer\nb-1,Bo,\n")
        run = self.bring(self.WON + "d-2,Cars,b-1,Proposal,2018-03-01T10:00:00Z,,\n")
        ana, bo = Contact.objects.get(external_id="a-1"), Contact.objects.get(external_id="b-1")
        assert (ana.created_at, ana.lifecycle_stage_since, ana.last_activity) == (MARCH, MAY, MARCH)
        assert (bo.created_at, bo.lifecycle_stage_since, lead_of("b-1").created_at) == (MARCH, MARCH, MARCH)
        lead = lead_of("a-1")
        assert (lead.opportunity.external_id, lead.won_date, lead.converted_date) == ("d-1", None, MARCH)
        assert "Contacts backdated: 2." in run.notes

    def test_a_date_that_a_file_gave_stays(self, acme):
        import_csv("external_id,name,created_at\na-1,Ana,2019-01-01\n")
        self.bring(self.WON)
        assert Contact.objects.get().created_at.year == 2019

    def test_whom_a_file_lost_too_early_is_taken_up_again(self, acme):
        for name in ("a-1", "b-1"):
            make_contact(external_id=name)
        lost = "Lost,2018-03-01T10:00:00Z,,2018-05-01T10:00:00Z\n"
        self.bring(f"d-1,Vans,a-1,{lost}d-2,Cars,b-1,{lost}")
        assert set(Contact.objects.values_list("lifecycle_stage", flat=True)) == {"lost"}
        self.bring("d-3,More,a-1,Won,2018-06-01T10:00:00Z,2018-07-01T10:00:00Z,\nd-4,More,b-1,Proposal,,,\n")
        stages = dict(Contact.objects.values_list("external_id", "lifecycle_stage"))
        assert stages == {"a-1": "customer", "b-1": "lead"}
        assert lead_of("a-1").opportunity.external_id == "d-3"

    def test_a_lost_one_converts_before_it_loses_its_contact(self, acme):
        contact = make_contact(external_id="a-1")
        self.bring("d-1,Vans,a-1,Lost,2018-03-01T10:00:00Z,,2018-05-01T10:00:00Z\n", reason="Old CRM")
        contact.refresh_from_db()
        assert (Lead.objects.get().status, contact.lifecycle_stage) == ("converted", "lost")
