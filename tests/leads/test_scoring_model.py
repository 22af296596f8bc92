"""Scoring models: versioned data, validated with a message per error, changed by a verb."""

from copy import deepcopy

import pytest

from audit.models import Entry
from contacts.engagement import NewEngagement
from contacts.verbs.engage import engage
from crm.kit import clock
from crm.kit.actor import system
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.scope import in_workspace
from crm.records.verbs.edit import edit
from crm.users.verbs.create_workspace import create_workspace
from leads.models import Lead, Score, ScoringModel, ScoringRun
from leads.scoring import current as current_models
from leads.scoring import shipped
from leads.scoring.current import current, thresholds
from leads.scoring.jobs import score_leads
from leads.scoring.rules import read_rules
from leads.verbs.save_scoring_model import save_scoring_model
from tests.factories import make_company, make_contact, make_opportunity, manager, rows


def changed(**parts) -> dict:
    return deepcopy(shipped.RULES) | parts


def case(when, points=1) -> dict:
    return {"fit": [{"label": "Trade", "cases": [{"when": when, "points": points}]}]}


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (case("fleet_siz >= 3"), "Did you mean “fleet_size”?"),
        (case("owner = me"), "no signed-in user"),
        (case("qualification_score > 3"), "Trade can’t use Score, which depends on the score"),
        (case("contact.lead_score > 3"), "depends on the score"),
        (case("stage = Top of Funnel"), "Qualification stage, which depends on the score"),
        (case(""), "Trade: enter a condition for 1 point,"),
        (case("fleet_size > 1", 1.5), "Trade: points must be a whole number"),
        (case("fleet_size > 1", 101), "Trade: points must be a whole number"),
        ({"fit": [{"label": "", "cases": []}]}, "Enter a name of up to 60 characters"),
        ({"fit": [{"label": "Trade", "cases": []}]}, "Trade has no conditions"),
        ({"fit": "x"}, "must be a list"),
        ({"engagement": {"page_view": 1}}, "“page_view” isn’t a kind of event"),
        ({"engagement": {"page_viewed": "x"}}, "Page viewed: points must be a whole number"),
        ({"weights": {"fit": 0.65, "engagement": 0.35}}, "at most one decimal"),
        ({"weights": {"fit": 0.6, "engagement": 0.6}}, "must add up to 1"),
        ({"weights": {}}, "Fit weight must be a number"),
        ({"thresholds": {"marketing_qualified": 70, "sales_qualified": 40}}, "Sales Qualified above that"),
        ({"thresholds": {"marketing_qualified": 0, "sales_qualified": 40}}, "must start above 0"),
    ],
)
def test_a_mistake_is_named_in_a_sentence(rules, sentence, acme):
    with pytest.raises(Invalid) as error:
        read_rules(changed(**rules), 30)
    assert sentence in str(error.value)


@pytest.mark.parametrize("half_life", [6, 0, "30", 7.5, None, 4000])
def test_a_half_life_is_a_week_or_more(half_life, acme):
    with pytest.raises(Invalid, match="half-life"):
        read_rules(shipped.RULES, half_life)


def test_every_mistake_is_told_at_once(acme):
    with pytest.raises(Invalid) as error:
        read_rules(changed(weights={}, engagement={"x": 1}, **case("nothing = 1")), 1)
    assert len(error.value.errors) == 5


def test_the_shipped_model_comes_with_a_workspace(db):
    space, _ = create_workspace("fleet", by=system(0))
    with in_workspace(space):
        assert (current().name, current().version, current().half_life) == ("FleetCore v1", 1, 30 * 86400)
        assert (current().rules.most, dict(thresholds())) == (
            760,
            {"sales_qualified": 700, "marketing_qualified": 400},
        )


def test_only_admins_change_it(acme, actor):
    with pytest.raises(NotAllowed):
        save_scoring_model("Ours", shipped.RULES, 30, by=actor("manager"))


def test_a_new_version_scores_all_leads_anew(acme, actor):
    lead = Lead.objects.get(contact=make_contact())
    edit(rows(lead), {"fleet_size": 30, "country": "DE"}, by=manager())
    engage([NewEngagement(lead.contact_id, "demo_request", clock.now())], by=manager())
    assert Score.objects.get().score_tenths == 400
    limits, weights = {"marketing_qualified": 30, "sales_qualified": 40}, {"fit": 0.5, "engagement": 0.5}
    rules = changed(thresholds=limits, weights=weights)
    save_scoring_model("Ours", rules | {"engagement": {"demo_request": 60}}, 7, by=actor("admin"))
    entry = Entry.objects.get(event="scoring_model.created")
    assert (entry.new_values["version"], entry.new_values["name"], entry.new_values["half_life"]) == (2, "Ours", 7)
    assert Score.objects.get().model.version == 1
    score_leads(clock.now().replace(minute=1))
    score = Score.objects.get()
    assert (score.model.version, score.fit, score.engagement, score.score_tenths) == (2, 40, 60, 500)
    assert Lead.objects.get().stage == "sales_qualified"
    assert ScoringModel.objects.count() == 2
    assert not ScoringRun.objects.filter(finished_at__isnull=True).exists()


def test_criteria_read_the_contact_its_company_and_custom_fields(acme, actor):
    company = make_company(industry="taxi")
    contact = make_contact(company=company)
    rules = case("contact.company.industry = taxi", 30)
    rules["fit"].append({"label": "Title", "cases": [{"when": "contact.title contains fleet", "points": 10}]})
    save_scoring_model("Ours", changed(**rules), 30, by=actor("admin"))
    score_leads(clock.now())
    assert Score.objects.get().fit == 30
    edit(rows(contact), {"title": "Head of Fleet"}, by=actor("manager"))
    assert Score.objects.get().fit == 40
    edit(rows(company), {"industry": "bus"}, by=actor("manager"))
    assert Score.objects.get().fit == 10


def test_what_no_event_tells_is_seen_by_the_next_run(acme, actor):
    contact = make_contact()
    rules = case("any contact.opportunities (amount >= 1000)", 30)
    save_scoring_model("Ours", changed(**rules), 30, by=actor("admin"))
    score_leads(clock.now())
    assert Score.objects.get().fit == 0
    make_opportunity(contact=contact, amount="5000")
    score_leads(clock.now().replace(minute=0))
    assert Score.objects.get().fit == 30


def test_points_of_fit_are_kept_between_0_and_60(acme, actor):
    make_contact()
    for points, fit in ((100, 60), (-5, 0)):
        save_scoring_model("Ours", changed(**case("status = New", points)), 30, by=actor("admin"))
        score_leads(clock.now())
        assert Score.objects.get().fit == fit


def test_a_workspace_without_a_model_gets_the_shipped_one(acme):
    ScoringModel.objects.all().delete()
    current_models._current.cache_clear()
    make_contact()
    assert (current().name, Score.objects.get().model.version) == ("FleetCore v1", 1)
