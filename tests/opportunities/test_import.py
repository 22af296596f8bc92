"""import_opportunities: effects of a file on opportunities and their contacts, with dates."""

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from audit.undo.undo import undo
from contacts.models import Company, Contact
from crm.lifecycle.models import Transition
from crm.lists.models import ImportRun
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create_pipeline import create_pipeline
from tests.factories import make_contact, make_opportunity

HEADER = "external_id,name,contact,company,stage,amount,currency,close_date,owner,created_at,won_at,lost_at\n"
MARCH, MAY = datetime(2018, 3, 1, 10, tzinfo=UTC), datetime(2018, 5, 1, 10, tzinfo=UTC)


@pytest.fixture
def bring(tmp_path, acme):
    """`bring("row\\nrow\\n", …)` imports these rows: (exit status, report)."""

    def imported(rows, header=HEADER, **options):
        path, out = tmp_path / "deals.csv", io.StringIO()
        path.write_text(header + rows)
        try:
            call_command("import_opportunities", str(path), workspace="acme", json=True, stdout=out, **options)
        except SystemExit as end:
            return end.code, json.loads(out.getvalue().splitlines()[-1])
        except CommandError as error:
            return error.returncode, str(error)
        return 0, json.loads(out.getvalue().splitlines()[-1])

    return imported


def counts(report):
    return tuple(report[key] for key in ("rows", "created", "updated", "unchanged", "refused"))


@pytest.fixture
def ana(acme):
    """Create a lead with an ID and an email."""
    return make_contact("Ana", external_id="a-1", email="ana@x.example")


def test_opportunities_of_a_company_alone_come_won_and_lost(bring, acme):
    """PostgreSQL compares keys of contacts, and has none here."""
    rows = "d-1,120 vans,,Fleetly,Won,1,EUR,,,,2018-05-01,\nd-2,90 vans,,Fleetly,Lost,1,EUR,,,,,2018-05-01\n"
    assert counts(bring(rows)[1]) == (2, 2, 0, 0, 0)
    assert set(Opportunity.objects.values_list("stage", "contact")) == {("won", None), ("lost", None)}


def test_an_open_opportunity_has_what_the_file_says(bring, ana, cast):
    row = "d-1,120 vans,a-1,Fleetly,Proposal,48000.50,USD,2026-12-24,rep@acme.example,2018-03-01T10:00:00Z,,\n"
    assert bring(row) == (0, {"rows": 1, "created": 1, "updated": 0, "unchanged": 0, "refused": 0, "errors": []})
    deal = Opportunity.objects.get()
    assert (deal.contact, deal.company, deal.owner) == (ana, Company.objects.get(name="Fleetly"), cast.rep)
    assert (deal.stage, deal.amount, deal.currency) == ("proposal", Decimal("48000.50"), "USD")
    assert (deal.created_at, deal.stage_since, str(deal.close_date)) == (MARCH, MARCH, "2026-12-24")
    [step] = Transition.objects.filter(entity="opportunity")
    assert (step.from_value, step.to_value, step.verb, step.at) == ("", "proposal", "import", MARCH)
    entry = Entry.objects.get(event="opportunity.created")
    assert (entry.at, entry.person, entry.channel, entry.new_values["amount"]) == (MARCH, ana.pk, "import", "48000.50")


@pytest.mark.parametrize("name", ["a-1", "ANA@x.example", "public id"])
def test_a_contact_goes_by_its_id_its_public_id_or_its_e_mail(name, bring, ana):
    name = ana.public_id if name == "public id" else name
    assert bring(f"d-1,Deal,{name}\n", header="external_id,name,contact\n")[0] == 0
    assert Opportunity.objects.get().contact == ana


def test_what_was_won_is_dated_by_the_file_and_wins_its_contact(bring, ana):
    assert bring("d-1,120 vans,a-1,,,,,,,2018-03-01T10:00:00Z,2018-05-01T10:00:00Z,\n")[0] == 0
    deal, ana = Opportunity.objects.get(), Contact.objects.get(pk=ana.pk)
    assert (deal.stage, deal.won_at, deal.stage_since, deal.probability) == ("won", MAY, MAY, 1)
    assert (ana.lifecycle_stage, ana.lifecycle_stage_since) == ("customer", MAY)
    steps = Transition.objects.filter(entity="opportunity").order_by("id")
    assert [(step.from_value, step.to_value, step.at) for step in steps] == [
        ("", "prospecting", MARCH),
        ("prospecting", "won", MAY),
    ]
    assert steps[1].spent == MAY - MARCH
    assert datetime.now(UTC) - steps[1].recorded_at < timedelta(minutes=5)
    won = Transition.objects.get(entity="contact", to_value="customer")
    assert (won.from_value, won.verb, won.at) == ("qualified", "win", MAY)
    assert set(Entry.objects.filter(event__endswith=".won").values_list("severity", "at")) == {("info", MAY)}


def test_the_same_file_again_changes_nothing(bring, ana):
    rows = "d-1,A,a-1,,won,,,,,,2018-05-01T10:00:00Z,\n,B,a-1,,lost,5,,,,,,2018-05-01T10:00:00Z\n,C,a-1,,,7,,,,,,\n"
    assert counts(bring(rows)[1]) == (3, 3, 0, 0, 0)
    last = Entry.objects.latest("id").pk
    assert counts(bring(rows)[1]) == (3, 0, 0, 3, 0)
    assert Entry.objects.latest("id").pk == last


def test_a_probability_of_what_is_closed_is_that_of_its_stage(bring, ana):
    header = "external_id,name,contact,stage,probability,won_at,lost_at\n"
    at = "2018-05-01T10:00:00Z"
    rows = f"d-1,A,a-1,Won,20%,{at},\nd-2,B,a-1,Lost,20%,,{at}\nd-3,C,a-1,Proposal,20%,,\n"
    assert counts(bring(rows, header=header)[1]) == (3, 3, 0, 0, 0)
    assert counts(bring(rows, header=header)[1]) == (3, 0, 0, 3, 0)
    shown = dict(Opportunity.objects.values_list("external_id", "probability"))
    assert {key: str(value) for key, value in shown.items()} == {"d-1": "1.0000", "d-2": "0.0000", "d-3": "0.2000"}
    assert counts(bring("d-3,C,a-1,Negotiation,60%,,\n", header=header)[1]) == (1, 0, 1, 0, 0)
    assert counts(bring("d-3,C,a-1,Negotiation,60%,,\n", header=header)[1]) == (1, 0, 0, 1, 0)


def test_without_a_person_who_imports_it_belongs_to_the_contact_s_owner(bring, cast):
    make_contact(external_id="a-1", owner=cast.rep)
    bring("d-1,A,a-1,,,,,,,,,\n")
    assert Opportunity.objects.get().owner == cast.rep


def test_what_differs_is_changed_and_moved(bring, ana):
    bring("d-1,A,a-1,,Proposal,5,,,,,,\n")
    assert counts(bring("d-1,A,a-1,,Negotiation,9,,,,,,\n")[1]) == (1, 0, 1, 0, 0)
    deal = Opportunity.objects.get()
    assert (deal.stage, deal.amount, str(deal.probability)) == ("negotiation", 9, "0.7500")
    bring("d-1,,,,,,,,,,,2018-05-01T10:00:00Z\n")
    deal.refresh_from_db()
    assert (deal.stage, deal.lost_at, deal.amount) == ("lost", MAY, 9)


def test_a_contact_with_nothing_but_lost_opportunities_is_lost(bring, ana):
    bo, cy = make_contact(external_id="b-1", stage="qualified"), make_contact(external_id="c-1")
    make_opportunity(contact=cy)
    lost = ",,lost,,,,,,,2018-05-01T10:00:00Z\n"
    bring(f"d-1,A,a-1{lost}d-2,B,b-1{lost}d-3,C,c-1{lost}d-4,D,a-1,,Proposal,,,,,,,\n")
    stages = dict(Contact.objects.values_list("pk", "lifecycle_stage"))
    assert (stages[ana.pk], stages[bo.pk], stages[cy.pk]) == ("lead", "lost", "lead")


def test_any_stage_of_the_contact_is_accepted_and_only_an_override_moves_it_from_elsewhere(bring, acme):
    gone = make_contact(external_id="g-1", stage="lost")
    won = "d-1,A,g-1,,won,,,,,,2018-05-01T10:00:00Z,\n"
    assert bring(won)[0] == 0
    assert Contact.objects.get(pk=gone.pk).lifecycle_stage == "lost"
    Opportunity.objects.all().delete()
    assert bring(won, override_stages="Signed before our time")[0] == 0
    assert Contact.objects.get(pk=gone.pk).lifecycle_stage == "customer"
    told = Entry.objects.filter(event__in=["opportunity.won", "contact.won"], severity="warning")
    assert [entry.note for entry in told] == ["Signed before our time"] * 2


def test_what_was_closed_stays_so_without_an_override(bring, ana):
    make_opportunity("A", contact=ana, stage="won", external_id="d-1")
    status, report = bring("d-1,A,a-1,,Proposal,,,,,,,\n")
    sentence = "“Move” isn’t available at Won, only at Prospecting, Qualification, Proposal or Negotiation."
    assert (status, report["errors"]) == (1, [{"row": 2, "column": "Stage", "message": sentence}])
    assert bring("d-1,A,a-1,,Proposal,,,,,,,\n", override_stages="They came back")[0] == 0
    deal = Opportunity.objects.get()
    assert (deal.stage, deal.won_at) == ("proposal", None)
    assert Entry.objects.get(event="opportunity.reopened").severity == "warning"


BAD = (
    ("d-1,,a-1,,,,,,,,,\n", "Name", "Enter a name."),
    ("d-1,A,,,,,,,,,,\n", "Contact", "Enter the contact’s ID or email, or a company."),
    ("d-1,A,nobody,,,,,,,,,\n", "Contact", "No contact matches “nobody”. Enter an ID or email."),
    ("d-1,A,a-1,,,-5,,,,,,\n", "amount", "Amount must be 0 or more and less than 10,000,000,000,000."),
    ("d-1,A,a-1,,signed,,,,,,,\n", "stage", "“signed” isn’t a valid value for Stage."),
    ("d-1,A,a-1,,,,euro,,,,,\n", "currency", "“EURO” isn’t a valid currency, e.g. EUR."),
    ("d-1,A,a-1,,,,,,,,2150-01-01T00:00:00Z,\n", "won_at", "“2150-01-01T00:00:00Z” is in the future."),
    ("d-1,A,a-1,,lost,,,,,,2018-05-01,\n", "", ""),
    (
        "d-1,A,a-1,,,,,,,,2018-05-01T10:00:00Z,2018-05-01T10:00:00Z\n",
        "Stage",
        "An opportunity can’t be both won and lost.",
    ),
    ("d-1,A,a-1,,lost,,,,,,2018-05-01T10:00:00Z,\n", "Stage", "Only won opportunities have a won date."),
)


@pytest.mark.parametrize("row, column, sentence", BAD)
def test_a_row_that_makes_no_sense_is_refused_alone_by_its_line(row, column, sentence, bring, ana):
    status, report = bring(row + "d-2,Fine,a-1,,,,,,,,,\n")
    assert (status, counts(report)) == (1, (2, 1, 0, 0, 1))
    [error] = report["errors"]
    assert error["row"] == 2
    if sentence:
        assert (error["column"], error["message"][: len(sentence)]) == (column, sentence)
    assert Opportunity.objects.get().name == "Fine"


def test_the_same_opportunity_twice_in_a_file_is_refused(bring, ana):
    _, report = bring("d-1,A,a-1,,,,,,,,,\nd-1,B,a-1,,,,,,,,,\n,C,a-1,,,,,,,,,\n,C,a-1,,,,,,,,,\n")
    assert [(error["row"], error["message"]) for error in report["errors"]] == [
        (3, "Duplicate of row 2."),
        (5, "Duplicate of row 4."),
    ]


def test_a_trial_changes_nothing_and_an_import_can_be_undone(bring, ana, actor):
    row = "d-1,A,a-1,New Company,won,,,,,,2018-05-01T10:00:00Z,\n"
    assert counts(bring(row, dry_run=True)[1]) == (1, 1, 0, 0, 0)
    assert not Opportunity.objects.exists() and not Company.objects.exists()
    bring(row)
    undo(ImportRun.objects.get().change, by=actor("manager"))
    assert not Opportunity.objects.exists()
    assert Contact.objects.get(pk=ana.pk).lifecycle_stage == "lead"


def test_with_a_person_s_rights_what_they_cannot_see_is_not_there(bring, cast):
    make_contact(external_id="n-1", team=cast.nordics)
    theirs = make_contact(external_id="o-1")
    make_opportunity("A", contact=theirs, owner=cast.outsider, external_id="d-1")
    rows = "d-2,B,n-1,,,,,,,,,\nd-1,A,o-1,,,9,,,,,,\n"
    _, report = bring(rows, user="rep@acme.example")
    assert [error["message"] for error in report["errors"]] == [
        "No contact matches “n-1”. Enter an ID or email.",
        "View only – this opportunity belongs to someone else.",
    ]
    assert bring(rows, user="rep@acme.example", override_stages="x")[1] == ("Only managers can override stages.")


def test_one_that_was_won_before_its_first_contact_is_shown_and_not_hidden(bring, ana):
    assert bring("d-1,A,a-1,,won,,,,,2018-05-01T10:00:00Z,2018-03-01T10:00:00Z,\n")[0] == 0
    assert Transition.objects.get(entity="opportunity", to_value="won").spent == MARCH - MAY


def test_a_company_alone_has_opportunities_too(bring):
    row = "d-1,Renewal,,Fleetly,Proposal,500,EUR,,,,,\n,Audit,,Fleetly,Won,100,EUR,,,,2018-05-01T10:00:00Z,\n"
    assert counts(bring(row)[1]) == (2, 2, 0, 0, 0)
    assert counts(bring(row)[1]) == (2, 0, 0, 2, 0)
    assert set(Opportunity.objects.values_list("name", "contact", "company__name", "stage")) == {
        ("Renewal", None, "Fleetly", "proposal"),
        ("Audit", None, "Fleetly", "won"),
    }


def test_a_pipeline_column_places_stages_that_share_a_label(bring, ana, acme, actor):
    create_pipeline("Renewals", template="renewals", by=actor("admin"))
    header = "external_id,name,contact,deal pipeline,deal stage\n"
    rows = "d-1,A,a-1,Renewals,In discussion\nd-2,B,a-1,Renewals,\nd-3,C,a-1,,Renewed\nd-4,D,a-1,Renewals,Proposal\n"
    status, report = bring(rows, header=header)
    assert (status, [error["message"] for error in report["errors"]]) == (1, ["“Proposal” isn’t a stage of Renewals."])
    assert set(Opportunity.objects.values_list("external_id", "pipeline", "stage", "stage_kind")) == {
        ("d-1", "renewals", "renewal_in_discussion", "open"),
        ("d-2", "renewals", "renewal_upcoming", "open"),
        ("d-3", "renewals", "renewed", "won"),
    }
    assert counts(bring("d-1,A,a-1,Sales,Proposal\nd-2,B,a-1,Renewals,\n", header=header)[1]) == (2, 0, 1, 1, 0)
    assert Opportunity.objects.get(external_id="d-1").pipeline == "sales"
    assert Transition.objects.get(verb="change_pipeline").to_value == "proposal"
