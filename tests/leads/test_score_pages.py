"""The score page matches the stored score; the workbench previews changes."""

from datetime import timedelta

import pytest

from contacts.engagement import NewEngagement
from contacts.verbs.engage import engage
from crm.kit import clock
from crm.kit.actor import system
from crm.records.verbs.edit import edit
from leads.models import Lead, Score, ScoringModel
from leads.scoring.explain import explain
from leads.scoring.form import form_context, posted, saved
from leads.scoring.runs import finish_scoring_run, open_run
from leads.scoring.workbench import measure
from tests.factories import make_contact, manager, rows
from tests.leads import naive


def make_lead(fleet=None, country="", events=(), **values) -> Lead:
    contact = make_contact(**values)
    edit(Lead.objects.filter(contact=contact), {"fleet_size": fleet, "country": country}, by=manager())
    now = clock.now()
    told = [NewEngagement(contact.pk, kind, now - timedelta(days=days)) for kind, days in events]
    if told:
        engage(told, by=manager())
    return Lead.objects.get(contact=contact)


EVENTS = [("demo_request", 3), ("page_viewed", 40), ("unsubscribed", 20), *(("email_opened", n) for n in range(70))]


def test_explained_is_stored_is_computed_anew(acme):
    lead = make_lead(30, "BR", EVENTS)
    for later in (0, 1, 17, 90):
        at, by = clock.now() + timedelta(days=later), system(acme.pk)
        finish_scoring_run(open_run(at=at, by=by), by=by)
        told, stored = explain(lead), Score.objects.get(lead=lead)
        events = [(e.kind, e.occurred_at) for e in lead.contact.engagement.all()]
        assert told.tenths == stored.score_tenths == naive.tenths(30, "BR", events, stored.scored_at)
        assert told.adds_up and told.older == 23
        assert sum(event.points for event in told.events) + told.older_points == pytest.approx(told.total)
        assert [c.points for c in told.criteria] == [20, 5]
        assert told.ahead()[0] == stored.score_tenths
        finish_scoring_run(open_run(at=at, full=True, by=by), by=by)
        assert Score.objects.get(lead=lead).score_tenths == told.tenths


def test_the_ways_to_sales_qualified_lead_there(acme):
    lead = make_lead(250, "DE", [("demo_request", 0), ("email_reply", 0)])
    told = explain(lead)
    assert [way.what for way in told.ways()][:3] == ["Demo request", "Meeting booked", "2 × Call connected"]
    assert all(way.tenths >= 700 for way in told.ways())
    engage([NewEngagement(lead.contact_id, "meeting_booked", clock.now())], by=manager())
    assert Score.objects.get().score_tenths >= 700
    assert explain(lead).ways() == []


def test_a_lead_that_cannot_get_there_is_told_so(acme, sign_in):
    lead = make_lead(5, "DE")
    page = sign_in("rep").get(f"/qualification/{lead.public_id}/score").content.decode()
    assert "engagement alone can reach 58.0 at most" in page
    assert "The highest possible score in this model is 76" in page


def test_the_page_of_a_closed_lead_says_that_its_score_stays(acme, sign_in):
    lead = make_lead(250, "DE", [("demo_request", 0)])
    Lead.objects.update(status="lost", lost_date=clock.now())
    edit(rows(lead), {"fleet_size": 1}, by=manager())
    page = sign_in("rep").get(f"/qualification/{lead.public_id}/score").content.decode()
    assert "its final score of 52.0" in page


def test_what_others_may_not_see(acme, sign_in, cast):
    lead = make_lead(team=cast.nordics)
    Lead.objects.update(team=cast.nordics, owner=None)
    assert sign_in("rep").get(f"/qualification/{lead.public_id}/score").status_code == 404
    assert sign_in("rep").get("/qualification/model").status_code == 403
    assert sign_in("manager").get("/qualification/model").status_code == 200
    assert sign_in("manager").post("/qualification/model", {"do": "save"}).status_code == 403
    assert ScoringModel.objects.get().version == 1


def fields(**changes) -> dict:
    form = form_context(saved(ScoringModel.objects.latest("version")))
    data = {"name": form["name"], "half_life": form["half_life"]}
    for criterion in form["fit"]:
        data[f"fit-{criterion['place']}-label"] = criterion["label"]
        for number, case in criterion["cases"]:
            data |= {f"fit-{criterion['place']}-{number}-{key}": case[key] for key in ("when", "points")}
    data |= {f"engagement-{kind}": points for kind, _, points in form["engagement"]}
    data |= {f"weight-{key}": value for key, _, value in form["weights"]}
    data |= {f"threshold-{key}": value for key, _, value in form["thresholds"]}
    return {key: str(value) for key, value in data.items()} | changes


def test_the_form_gives_back_what_it_was_given(acme):
    assert posted(fields()) == saved(ScoringModel.objects.get())


def test_trying_shows_what_would_change_and_changes_nothing(acme, sign_in):
    make_lead(30, "DE", [("demo_request", 0)], name="Ana Ruiz")
    data = fields(**{"threshold-marketing_qualified": "41", "do": "try", "workspace": "acme"})
    page = sign_in("admin").post("/qualification/model", data).content.decode()
    assert "1 lead</span>" in page and "Ana Ruiz" in page and "Marketing Qualified → Top of Funnel" in page
    assert ScoringModel.objects.count() == 1 and Lead.objects.get().stage == "marketing_qualified"


def test_saving_makes_a_version_and_mistakes_are_told(acme, sign_in):
    client = sign_in("admin")
    wrong = client.post("/qualification/model", fields(**{"weight-fit": "0.9", "do": "save", "workspace": "acme"}))
    assert wrong.status_code == 422 and "must add up to 1" in wrong.content.decode()
    assert client.post("/qualification/model", fields(half_life="14", do="save", workspace="acme")).status_code == 302
    assert [m.half_life for m in ScoringModel.objects.order_by("version")] == [30, 14]
    assert "Rescoring all open leads" in client.get("/qualification/model").content.decode()


def test_separation_is_the_share_of_pairs_in_their_order():
    won = [(score, True) for score in (900, 800, 700, 600, 500, 500, 500, 500, 500, 100)]
    lost = [(score, False) for score in (500, 400, 300, 200, 200, 200, 200, 200, 200, 100)]
    pairs = sum((w > x) + (w == x) / 2 for w, _ in won for x, _ in lost)
    found = measure([*won, *lost])
    assert (found.auc, found.lift, found.percent) == (pytest.approx(pairs / 100), 2.0, 88)
    assert measure(won).auc is None
