from decimal import Decimal

import pytest

from contacts.models import Contact
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit import clock
from crm.kit.errors import Invalid, NotAllowed
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create import create
from crm.records.verbs.delete import delete
from tests.factories import make_company, make_contact, rows
from tests.log import assert_entry, assert_nothing_written, moves


def test_an_opportunity_takes_what_is_not_said_from_contact_workspace_and_stage(acme, actor, cast):
    fleetly = make_company("Fleetly")
    ana, by = make_contact("Ana", company=fleetly, team=cast.iberia), actor("rep")
    made = create([{"name": "120 vans", "contact": ana, "amount": "48000"}], by=by, stage="qualification")
    deal = Opportunity.objects.get(pk=made.done[0])
    assert (deal.contact, deal.company, deal.team, deal.owner) == (ana, fleetly, cast.iberia, cast.rep)
    assert (deal.amount, deal.currency, deal.probability) == (Decimal(48000), "EUR", Decimal("0.25"))
    assert deal.public_id.startswith("opp_")
    assert moves(by) == [(deal.pk, "stage", "", "qualification", "create", "")]
    new = {"name": "120 vans", "contact": ana.pk, "company": fleetly.pk, "team": cast.iberia.pk, "owner": cast.rep.pk}
    new |= {"amount": "48000.00", "currency": "EUR", "probability": "0.2500", "stage": "qualification", "custom": {}}
    new |= {"pipeline": "sales", "stage_kind": "open"}
    assert_entry(by, deal, "opportunity.created", "CREATE", old=None, new=new, person=ana.pk)


@pytest.mark.parametrize(
    "values, field, sentence",
    [
        ({"name": ""}, "name", "Enter a name."),
        ({"contact": None}, "contact", "Choose a contact or a company."),
        ({"amount": "-1"}, "amount", "Amount must be 0 or more and less than 10,000,000,000,000."),
        ({"amount": "1.005"}, "amount", "“1.005” can have two decimals at most."),
        ({"probability": "120%"}, "probability", "Probability must be between 0% and 100%."),
        ({"currency": "euro"}, "currency", "“EURO” isn’t a valid currency, e.g. EUR."),
        ({"stage": "won"}, "stage", "Stage is set automatically and can’t be edited."),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(values, field, sentence, acme, actor):
    by, facts = actor("rep"), {"name": "Deal", "contact": make_contact()} | values
    with pytest.raises(Invalid) as refused:
        create([facts], by=by)
    assert refused.value.errors == {field: sentence}
    assert_nothing_written(by)


def test_it_is_opened_at_an_open_stage_and_never_for_somebody_in_the_trash(acme, actor):
    gone = make_contact()
    with pytest.raises(Invalid, match="Choose a contact"):
        create([{"name": "Deal"}], by=actor("rep"))
    with pytest.raises(Invalid, match="New opportunities start at Prospecting, Qualification"):
        create([{"name": "Deal", "contact": gone}], by=actor("rep"), stage="won")
    delete(rows(gone), by=actor("manager"), reason="twice")
    with pytest.raises(Invalid, match="record not found"):
        create([{"name": "Deal", "contact": gone}], by=actor("rep"))


def test_a_contact_of_another_team_is_not_there(acme, actor, cast):
    theirs = make_contact(team=cast.nordics)
    with pytest.raises(Invalid, match="record not found"):
        create([{"name": "Deal", "contact": theirs}], by=actor("rep"))


def test_a_viewer_adds_nothing_and_an_external_id_is_used_once(acme, actor):
    ana = make_contact()
    with pytest.raises(NotAllowed):
        create([{"name": "Deal", "contact": ana}], by=actor("viewer"))
    create([{"name": "Deal", "contact": ana, "external_id": "7"}], by=actor("rep"))
    with pytest.raises(Invalid, match="A record with this external ID already exists"):
        create([{"name": "Deal", "contact": ana, "external_id": "7"}], by=actor("rep"))


def test_a_condition_finds_contacts_by_their_opportunities(acme, actor):
    ana, bo = make_contact("Ana"), make_contact("Bo")
    for contact, amount in ((ana, "10"), (ana, "5000"), (bo, "5000")):
        create([{"name": "Deal", "contact": contact, "amount": amount}], by=actor("manager"))
    Opportunity.objects.filter(contact=bo).update(stage="proposal")

    def found(text):
        expression = parse(text, "contact").expression(Viewer(), clock.now())
        return list(Contact.objects.filter(expression).order_by("name").values_list("name", flat=True))

    assert found("opportunity.stage = Prospecting") == ["Ana"]
    assert found("any opportunity (stage = Proposal and amount > 1000)") == ["Bo"]
    assert found("any opportunity (amount < 100)") == ["Ana"]
    assert found("opportunities is empty") == []
