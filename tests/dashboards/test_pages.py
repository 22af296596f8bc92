"""The dashboard's pages: loading frame, cards, files, layout, email."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.db.models import Count, Sum
from django.http import QueryDict

from crm.dashboards.handlers import mail_dashboard
from crm.dashboards.jobs import keep_forecasts, mail_dashboards
from crm.dashboards.models import Forecast, Layout, Subscription
from crm.dashboards.parts.forecast import forecast
from crm.dashboards.period import Period, read_period
from crm.dashboards.query import read_query
from crm.dashboards.tables import all_parts
from crm.dashboards.verbs.arrange import arrange
from crm.dashboards.verbs.subscribe import subscribe
from crm.events.models import Event
from crm.kit import clock
from crm.kit.actor import system
from crm.kit.errors import Invalid
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.change_pipeline import change_pipeline
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.win import win
from tests.dashboards.world import END
from tests.factories import make_contact, make_opportunity, rows

NAMES = [part.name for part in all_parts()]


def test_the_frame_comes_at_once_and_fills_by_parts(acme, sign_in):
    page = sign_in("manager").get("/dashboard?split=owner").content.decode()
    for name in NAMES:
        assert f'hx-get="/dashboard/part/{name}?' in page
    assert "<table" not in page
    assert "<noscript>" in page


def test_everything_comes_at_once_where_it_is_asked_for(acme, sign_in):
    make_contact()
    page = sign_in("manager").get("/dashboard?parts=all").content.decode()
    assert 'hx-trigger="load"' not in page
    assert page.count("<table") >= 5


@pytest.mark.parametrize("name", NAMES)
def test_a_part_is_a_part_to_htmx_and_a_page_to_everybody_else(acme, sign_in, name):
    client = sign_in("manager")
    part = client.get(f"/dashboard/part/{name}", headers={"HX-Request": "true"})
    page = client.get(f"/dashboard/part/{name}")
    assert part.status_code == page.status_code == 200
    assert "<html" not in part.content.decode()
    assert "<html" in page.content.decode()


def test_what_is_for_managers_is_not_there_for_others(acme, sign_in):
    assert sign_in("rep").get("/dashboard/part/forecast").status_code == 404
    assert sign_in("rep").get("/dashboard/part/forecast/months.csv").status_code == 404
    assert sign_in("rep").get("/dashboard/part/nothing").status_code == 404


def test_a_filter_that_does_not_fit_is_said_by_the_parts_that_it_does_not_fit(acme, sign_in):
    client, query = sign_in("manager"), "?where=campaign+%3D+Spring"
    assert "This filter doesn’t apply here" in client.get(f"/dashboard/part/composition{query}").content.decode()
    assert "This filter doesn’t apply here" not in client.get(f"/dashboard/part/funnel{query}").content.decode()


def test_a_table_is_a_file_that_no_spreadsheet_runs(acme, sign_in):
    make_contact(source="=cmd()")
    answer = sign_in("manager").get("/dashboard/part/funnel/split.csv")
    lines = list(csv.reader(StringIO(answer.content.decode())))
    assert lines[0][:3] == ["Source", "Lead", "Qualified"]
    assert lines[1][:2] == ["'=cmd()", "1"]
    assert answer["Content-Disposition"] == 'attachment; filename="funnel-split.csv"'


def test_each_person_arranges_their_own(acme, cast, sign_in):
    client = sign_in("rep")
    posted = {"part": ["stuck", "funnel"], "place_stuck": "2", "place_funnel": "1"}
    assert client.post("/dashboard/arrange", posted).status_code == 302
    assert Layout.objects.get().parts == ["funnel", "stuck"]
    page = client.get("/dashboard").content.decode()
    assert 0 < page.index("part-funnel") < page.index("part-stuck")
    assert "part-team" not in page
    assert "part-team" in sign_in("mate").get("/dashboard").content.decode()


def test_a_part_that_there_is_not_cannot_be_arranged(acme, actor):
    with pytest.raises(Invalid):
        arrange(["nothing"], by=actor("rep"))


@pytest.mark.parametrize(
    ("first", "last", "period"),
    [
        ("2026-03-01", "2026-03-31", Period(date(2026, 3, 1), date(2026, 3, 31))),
        ("2026-03-31", "2026-03-01", Period(date(2026, 3, 1), date(2026, 3, 31))),
        ("", "2026-03-31", Period(date(2026, 1, 1), date(2026, 3, 31))),
        ("x", "0000", Period(END.date() - timedelta(days=89), END.date())),
    ],
)
def test_a_period_is_read_from_the_url(acme, first, last, period):
    with clock.at(END):
        assert read_period(first, last) == period
    assert period.before().last == period.first - timedelta(days=1)
    assert period.before().days == period.days


def test_a_forecast_is_kept_once_a_week(acme, actor):
    make_opportunity(amount="1000", close_date="2026-07-15")
    make_opportunity(amount="500")
    for hours in (0, 1, 24 * 6, 24 * 8):
        with clock.at(END + timedelta(hours=hours)):
            keep_forecasts(clock.now())
    kept = Forecast.objects.order_by("day", "month").values_list("day", "month", "amount", "weighted")
    first, second = END.date(), END.date() + timedelta(days=8)
    assert [(day, month, int(amount), int(likely)) for day, month, amount, likely in kept] == [
        (first, "", 500, 50),
        (first, "2026-07", 1000, 100),
        (second, "", 500, 50),
        (second, "2026-07", 1000, 100),
    ]


def test_what_was_forecast_stands_beside_what_came(acme, cast, actor, sign_in):
    deal = make_opportunity(amount="1000", close_date="2026-07-15", currency="EUR")
    with clock.at(END):
        keep_forecasts(clock.now())
    Opportunity.objects.filter(pk=deal.pk).update(stage="won", stage_kind="won", won_at=END + timedelta(days=20))
    page = sign_in("manager").get("/dashboard/part/forecast?from=2026-07-01&to=2026-07-31").content.decode()
    assert "30 Jun 2026" in page
    assert "€1,000" in page
    assert "€100" in page


def test_forecasts_and_results_are_those_of_each_pipeline_and_of_all(acme, actor, sign_in):
    """Snapshots of two pipelines and currencies, against the rows that they were taken from."""
    create_pipeline("Renewals", template="renewals", by=actor("admin"))
    for number in range(12):
        deal = make_opportunity(amount=str(1000 * number), close_date="2026-07-15", currency=("EUR", "USD")[number % 2])
        if number % 3 == 0:
            change_pipeline(rows(deal), to="renewal_upcoming", by=actor("manager"))
    with clock.at(END):
        keep_forecasts(clock.now())
    with clock.at(END + timedelta(days=20)):
        win(Opportunity.objects.filter(amount__gte=8000), by=actor("manager"))
    asked = read_query(QueryDict("from=2026-07-01&to=2026-07-31"), actor("manager"))
    names = {"months_sales": "sales", "months_renewals": "renewals", "months": ""}
    tables = forecast(asked).tables
    assert [table.name for table in tables] == list(names)
    for table in tables:
        there = Opportunity.objects.filter(**({"pipeline": names[table.name]} if names[table.name] else {})).order_by()
        stood = there.values_list("currency").annotate(Sum("amount"))
        won = there.filter(stage_kind="won").values_list("currency").annotate(Count("pk"), Sum("amount"))
        sums = {currency: total for currency, total in stood}
        came = {currency: (count, total) for currency, count, total in won}
        found = [[cell.value for cell in row.cells] for row in table.rows]
        assert [row[1] for row in found] == [sums["USD"], sums["EUR"]]
        assert [(row[3], row[4]) for row in found] == [came.get("USD", (0, 0)), came.get("EUR", (0, 0))]
    page = sign_in("manager").get("/dashboard/part/forecast?from=2026-07-01&to=2026-07-31").content.decode()
    assert "Renewals" in page and "All pipelines" in page


def test_the_dashboard_comes_by_mail_as_its_reader_may_see_it(acme, cast, actor):
    make_contact(owner=cast.outsider, team=cast.nordics, source="Secret fair")
    make_contact(owner=cast.rep, source="Open fair")
    subscribe("split=source", by=actor("rep"), days=30, every="day")
    morning = clock.now().replace(hour=9)
    for hours in (0, 1):
        with clock.at(morning + timedelta(hours=hours)):
            mail_dashboards(clock.now())
    event = Event.objects.get(name="dashboard_mail.due")
    mail_dashboard(event, by=system(acme.pk))
    (sent,) = mail.outbox
    assert sent.to == [cast.rep.user.email]
    html = sent.alternatives[0][0]
    assert "Open fair" in html
    assert "Secret fair" not in html
    assert "<svg" not in html
    assert 'bgcolor="#' in html
    assert "Open fair" in sent.body


def test_who_does_not_want_the_mail_any_more_gets_none(acme, actor):
    subscribe("", by=actor("rep"), days=30, every="day")
    subscribe("", by=actor("rep"), days=30, every="")
    with clock.at(clock.now().replace(hour=9)):
        mail_dashboards(clock.now())
    assert Subscription.objects.count() == 1
    assert not Event.objects.filter(name="dashboard_mail.due").exists()


@pytest.mark.parametrize(("days", "every"), [(0, "day"), (5, "hour")])
def test_nonsense_about_the_mail_is_refused(acme, actor, days, every):
    with pytest.raises(Invalid):
        subscribe("", by=actor("rep"), days=days, every=every)


def test_the_page_of_the_mail_keeps_what_is_asked(acme, cast, sign_in):
    answer = sign_in("rep").post("/dashboard/mail?where=owner+%3D+me", {"every": "week", "days": 30})
    assert answer.status_code == 302
    kept = Subscription.objects.get()
    assert QueryDict(kept.query)["where"] == "owner = me"
    assert (kept.every, kept.days, kept.member) == ("week", 30, cast.rep)
