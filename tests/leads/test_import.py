"""What files say about leads: columns of contacts, and opportunities past the guards (DESIGN 3)."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from audit.undo import undo
from crm.kit.actor import Channel, system
from crm.kit.scope import workspace
from crm.lifecycle.models import Transition
from crm.lists.imports.running import new_run, run_import
from crm.opportunities.models import Opportunity
from leads.models import Lead
from leads.verbs.lose import lose
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
    entry = Entry.objects.get(event="lead.updated")
    assert (entry.person, entry.change, entry.new_values["fleet_size"]) == (lead.contact_id, run.change, 120)


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


def test_contacts_without_an_open_lead_are_passed_over_and_the_note_says_so(acme, actor):
    lost = make_lead(make_contact(external_id="a1"))
    lose(rows(lost), by=actor("manager"))
    run = import_csv("external_id,name,stage,lead.fleet_size\na1,,,7\na2,Bo,Customer,7\n")
    assert counts(run) == (1, 0, 1, 0)
    assert any("open leads" in note for note in run.notes)
    assert not Lead.objects.filter(fleet_size=7).exists()


def test_what_does_not_fit_refuses_its_row(acme, cast):
    make_contact(external_id="a1", owner=cast.mate)
    run = import_csv(
        "external_id,name,lead.fleet_size,lead.country,lead.external_id\n"
        "a1,,5,,\na2,Bo,-5,,\na3,Cy,5,Spain,\na4,Di,5,,L-1\na5,Ed,5,,L-1\n",
        by=cast.outsider.actor(Channel.IMPORT),
    )
    told = refusals(run)
    assert set(told) == {2, 3, 4, 6}
    assert "belongs to somebody else" in told[2] and "not negative" in told[3] and "not a country" in told[4]
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


class TestOpportunities:
    """With a reason to override, an open lead becomes the opportunity of the file."""

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

    def test_without_a_reason_the_lead_stays(self, acme):
        make_contact(external_id="a-1")
        self.bring(self.WON)
        assert (Lead.objects.get().status, Opportunity.objects.get().stage) == ("new", "won")

    def test_of_several_the_first_is_the_leads(self, acme):
        make_contact(external_id="a-1")
        self.bring("d-2,More vans,a-1,Proposal,2018-06-01T10:00:00Z,,\n" + self.WON, reason="Old CRM")
        assert Lead.objects.get().opportunity.external_id == "d-1"
        self.bring("d-3,Cars,a-1,Proposal,2018-01-01T10:00:00Z,,\n", reason="Old CRM")
        assert Lead.objects.get().opportunity.external_id == "d-1"

    def test_a_lost_one_converts_before_it_loses_its_contact(self, acme):
        contact = make_contact(external_id="a-1")
        self.bring("d-1,Vans,a-1,Lost,2018-03-01T10:00:00Z,,2018-05-01T10:00:00Z\n", reason="Old CRM")
        contact.refresh_from_db()
        assert (Lead.objects.get().status, contact.lifecycle_stage) == ("converted", "lost")
