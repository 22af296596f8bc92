"""DESIGN 1.3, the score: both engines and a plain evaluator agree to the tenth."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.html import strip_tags
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.undo.undo import undo
from contacts.engagement import NewEngagement
from contacts.models import Contact, EngagementEvent
from contacts.timeline import of_contact
from contacts.verbs.engage import engage
from contacts.verbs.lose import lose
from contacts.verbs.merge import merge
from contacts.verbs.reopen import reopen
from crm.kit import clock
from crm.kit.actor import system
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.scope import workspace
from crm.records.verbs.delete import delete
from crm.records.verbs.edit import edit
from crm.records.verbs.restore import restore
from crm.users.models import Team
from leads.models import Lead, Score
from leads.scoring.runs import finish_scoring_run, open_run
from leads.scoring.score import recompute
from leads.verbs.lose_leads import lose_leads as lose_lead
from leads.verbs.reactivate import reactivate
from tests.budget import examples
from tests.factories import make_activity, make_contact, manager, rows
from tests.leads import naive

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def lead_of(contact: Contact) -> Lead:
    return Lead.objects.select_related("score").get(contact=contact)


def make_lead(fleet=None, country="", events=(), at=NOW) -> Lead:
    with clock.at(at):
        contact = make_contact()
        edit(Lead.objects.filter(contact=contact), {"fleet_size": fleet, "country": country}, by=manager())
        if events:
            engage([NewEngagement(contact.pk, kind, when) for kind, when in events], by=manager())
    return lead_of(contact)


def run(at=None, *, full=False):
    by = system(workspace().pk)
    return finish_scoring_run(open_run(at=at, full=full, by=by), by=by)


def facts(lead: Lead) -> tuple:
    score = Score.objects.get(lead=lead)
    return score.fit, score.engagement, score.score_tenths


@pytest.mark.parametrize(
    ("fleet", "country", "points", "tenths", "stage"),
    [
        (250, "DE", 9, 396, "top_of_funnel"),
        (5, "DE", 55, 400, "marketing_qualified"),
        (50, "DE", 27, 396, "top_of_funnel"),
        (50, "DE", 28, 400, "marketing_qualified"),
        (None, "", 99, 396, "top_of_funnel"),
        (None, "", 100, 400, "marketing_qualified"),
        (250, "DE", 84, 696, "marketing_qualified"),
        (250, "DE", 85, 700, "sales_qualified"),
        (250, "DE", 100, 760, "sales_qualified"),
        (25, "DE", 40, 400, "marketing_qualified"),
        (1, "ES", 74, 398, "top_of_funnel"),
        (100, "DE", 93, 696, "marketing_qualified"),
        (100, "DE", 94, 700, "sales_qualified"),
        (250, "ES", 97, 700, "sales_qualified"),
    ],
)
def test_a_score_meets_its_thresholds_unrounded(fleet, country, points, tenths, stage, acme):
    """Points consist of current events: 1 per email opened, 10 per download."""
    events = [("content_download", NOW - timedelta(microseconds=n)) for n in range(points // 10)]
    events += [("email_opened", NOW - timedelta(microseconds=n)) for n in range(points % 10)]
    lead = make_lead(fleet, country, events)
    assert (lead.score.score_tenths, lead.stage) == (tenths, stage)


@pytest.mark.parametrize("fleet", [None, 0, 1, 4, 5, 9, 10, 24, 25, 49, 50, 99, 100, 249, 250, 10_000])
@pytest.mark.parametrize("country", ["", "DE", "NO", "BR"])
def test_every_band_of_the_shipped_model(fleet, country, acme):
    assert make_lead(fleet, country).score.fit == naive.fit(fleet, country)


def test_half_points_are_rounded_up_and_half_lives_are_exact(acme):
    events = [("page_viewed", NOW - 60 * DAY), ("email_opened", NOW - 30 * DAY)]
    assert make_lead(None, "", events).score.engagement == naive.engagement(events, NOW) == 1
    assert make_lead(None, "", [("email_opened", NOW - 30 * DAY)]).score.engagement == 1
    assert make_lead(None, "", [("email_opened", NOW - 30 * DAY - timedelta(seconds=30))]).score.engagement == 0


MOMENTS = st.integers(-(10**13), 0).map(lambda n: NOW + timedelta(microseconds=n * 3))
EVENTS = st.lists(st.tuples(st.sampled_from(sorted(naive.POINTS)), MOMENTS), max_size=12, unique=True)
FLEETS = st.none() | st.integers(0, 400)
COUNTRIES = st.sampled_from(["", "DE", "ES", "BR", "AE", "SG"])


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(FLEETS, COUNTRIES, EVENTS, EVENTS), min_size=1, max_size=4), st.integers(0, 10**9))
def test_sql_and_plain_python_agree(acme, people, later):
    at, leads = NOW + timedelta(milliseconds=later), []
    for fleet, country, first, second in people:
        lead = make_lead(fleet, country, first)
        assert facts(lead)[2] == naive.tenths(fleet, country, first, NOW)
        with clock.at(NOW):  # late events are added to the sum
            engage([NewEngagement(lead.contact_id, kind, when) for kind, when in second], by=manager())
        events = {*first, *second}
        assert facts(lead)[2] == naive.tenths(fleet, country, events, NOW)
        leads.append((lead, fleet, country, events))
    for full in (False, True):
        run(at, full=full)
        assert [facts(lead)[2] for lead, *_ in leads] == [naive.tenths(f, c, events, at) for _, f, c, events in leads]
    for lead, *_ in leads:
        lead.delete()


def test_an_event_is_kept_once_and_never_from_the_future(acme):
    lead, event = make_lead(), ("demo_request", NOW - DAY)
    with clock.at(NOW):
        told = NewEngagement(lead.contact_id, *event)
        assert len(engage([told, told], by=manager()).done) == 1
        assert engage([told], by=manager()).done == []
        with pytest.raises(Invalid, match="is in the future"):
            engage([NewEngagement(lead.contact_id, "demo_request", NOW + timedelta(minutes=6))], by=manager())
        with pytest.raises(Invalid, match="Did you mean page_viewed"):
            engage([NewEngagement(lead.contact_id, "page_view", NOW)], by=manager())
    assert EngagementEvent.objects.count() == 1


def test_what_a_clock_ahead_of_ours_tells_counts_when_its_time_has_come(acme):
    ahead = ("demo_request", NOW + timedelta(minutes=4))
    lead = make_lead(None, "", [ahead])
    assert (facts(lead), lead.score.partial) == ((0, 0, 0), True)
    run(NOW + timedelta(minutes=5))
    assert facts(lead)[1] == 40


def test_an_instant_of_the_past_and_back_again(acme):
    events = [("demo_request", NOW - 90 * DAY), ("email_reply", NOW - DAY)]
    lead = make_lead(30, "DE", events)
    for at in (NOW - 60 * DAY, NOW - 100 * DAY, NOW, NOW + 40 * DAY):
        run(at)
        assert facts(lead)[2] == naive.tenths(30, "DE", events, at)


def test_a_run_as_of_now_leaves_what_was_scored_later(acme):
    lead = make_lead(None, "", [("demo_request", NOW)])
    with clock.at(NOW - DAY):
        run()
    assert facts(lead)[1] == 40


def test_a_cycle_counts_what_happened_since_the_one_before_closed(acme, actor):
    old = make_lead(None, "", [("demo_request", NOW)])
    with clock.at(NOW + DAY):
        lose(Contact.objects.filter(pk=old.contact_id), by=actor("manager"), reason="x")
        Lead.objects.filter(pk=old.pk).update(status="lost", lost_date=NOW + DAY, status_since=NOW + DAY)
    with clock.at(NOW + 2 * DAY):
        reopen(Contact.objects.filter(pk=old.contact_id), by=actor("manager"), reason="y")
        told = (("page_viewed", NOW), ("email_reply", NOW + 2 * DAY))
        engage([NewEngagement(old.contact_id, *event) for event in told], by=manager())
    new = Lead.objects.open().get()
    assert facts(new)[1] == 20
    assert facts(old)[1] == 40, "a lost lead is never scored again"
    run(NOW + 60 * DAY, full=True)
    assert (facts(old)[1], facts(new)[1]) == (40, naive.engagement([("email_reply", NOW + 2 * DAY)], NOW + 60 * DAY))


@pytest.mark.parametrize("again", ["reactivated", "undone", "restored"])
def test_a_lead_that_is_open_again_counts_what_happened_meanwhile(again, acme, actor):
    lead, later = make_lead(None, "", [("page_viewed", NOW)]), ("demo_request", NOW + DAY)
    with clock.at(NOW + DAY):
        by = actor("manager")
        delete(rows(lead), by=by, reason="x") if again == "restored" else lose_lead(rows(lead), by=by, reason="x")
        engage([NewEngagement(lead.contact_id, *later)], by=manager())
    with clock.at(NOW + 2 * DAY):
        if again == "reactivated":
            reactivate(rows(lead), by=actor("manager"), reason="y").or_raise()
        elif again == "undone":
            undo(by.change, by=actor("manager"))
        else:
            restore(rows(lead), by=actor("manager")).or_raise()
    assert facts(lead)[1] == naive.engagement([("page_viewed", NOW), later], NOW + 2 * DAY)


def test_merged_people_engaged_once_for_everything_and_apart_again(acme, actor):
    both = ("page_viewed", NOW - DAY)
    ana = make_lead(30, "DE", [both, ("email_reply", NOW - 2 * DAY)])
    twin = make_lead(None, "", [both, ("demo_request", NOW - 3 * DAY)])
    Lead.objects.filter(pk=twin.pk).update(status="lost", lost_date=NOW, stage="top_of_funnel")
    before = facts(ana)
    with clock.at(NOW):
        merge(ana.contact, rows(twin.contact), by=(by := actor("manager")))
        told = [both, ("email_reply", NOW - 2 * DAY), ("demo_request", NOW - 3 * DAY)]
        assert facts(ana)[2] == naive.tenths(30, "DE", told, NOW)
        assert Contact.objects.get(pk=ana.contact_id).last_engagement == NOW - DAY
        undo(by.change, by=actor("manager"))
    assert facts(ana) == before
    assert EngagementEvent.objects.filter(contact=twin.contact_id).count() == 2


def test_what_others_do_counts_as_engagement(acme, actor):
    with clock.at(NOW):
        contact = make_contact(email="ana@x.example")
        make_activity(contact=contact)
        make_activity(contact=contact, outcome="no_answer")
        make_activity(kind="meeting", contact=contact, due_at=NOW + DAY)
        make_activity(kind="email", contact=contact, sender="Ana <ANA@x.example>")
        make_activity(kind="email", contact=contact, sender="diana@x.example")
    kinds = sorted(EngagementEvent.objects.filter(contact=contact).values_list("kind", flat=True))
    assert kinds == ["call_connected", "email_reply", "meeting_booked"]
    assert lead_of(contact).score.engagement == 70


def test_an_event_is_taken_back_with_the_change_that_told_of_it(acme, actor):
    lead = make_lead(None, "", [("email_opened", NOW - DAY)])
    with clock.at(NOW):
        engage([NewEngagement(lead.contact_id, "demo_request", NOW)], by=(by := actor("manager")))
        assert facts(lead)[1] == 41
        undo(by.change, by=actor("manager"))
    assert facts(lead)[1] == 1
    assert Contact.objects.get().last_engagement == NOW - DAY


def test_who_may_record_events(acme, actor):
    lead = make_lead()
    with pytest.raises(NotAllowed):
        engage([NewEngagement(lead.contact_id, "page_viewed", NOW)], by=actor("viewer"))
    Contact.objects.update(team=Team.objects.get(name="Iberia"), owner=None)
    with pytest.raises(Invalid, match="Contact not found"):
        engage([NewEngagement(lead.contact_id, "page_viewed", NOW)], by=actor("outsider"))


def test_events_of_the_distant_past_are_no_trouble(acme):
    assert facts(make_lead(None, "", [("demo_request", datetime(1850, 1, 1, tzinfo=UTC))])) == (0, 0, 0)


def test_only_scores_that_change_are_written(acme):
    lead, cold = make_lead(None, "", [("demo_request", NOW)]), make_lead(30, "DE")
    done = run(NOW + DAY)
    assert (done.leads, done.changed) == (2, 1)
    assert Score.objects.get(lead=cold).scored_at == NOW
    assert Score.objects.get(lead=lead).scored_at == NOW + DAY
    again = run(NOW + DAY, full=True)
    assert again.changed == 0


def test_a_lead_without_a_score_gets_one_by_a_run(acme):
    lead = make_lead(30, "DE")
    Score.objects.all().delete()
    run()
    assert facts(lead) == (40, 0, 240)
    assert recompute([lead.pk], NOW) == 0


def test_the_timeline_tells_of_engagement_in_one_line(acme, actor):
    with clock.at(NOW - 9 * DAY):
        contact = make_contact()
    for n in range(3):
        with clock.at(NOW + n * DAY):
            told = [
                NewEngagement(contact.pk, "page_viewed", NOW + n * DAY),
                NewEngagement(contact.pk, "demo_request", NOW + n * DAY),
            ]
            engage(told[: 1 + (n == 1)], by=actor("rep"))
    items, _, _ = of_contact(contact, actor("rep"))
    lines = [item for item in items if item.engaged]
    assert [strip_tags(item.sentence) for item in lines] == ["Rep recorded engagement: demo request, 3 pages viewed"]
