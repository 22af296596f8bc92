"""The funnel matches a naive model of the transitions, for any history."""

from datetime import timedelta
from statistics import median

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.dashboards.parts.funnel import funnel, rate
from crm.dashboards.percentile import days, percentile
from crm.dashboards.query import read_query
from crm.entities.values import zone
from crm.kit import clock
from crm.lifecycle.models import Transition
from leads.models import Lead
from tests.budget import examples
from tests.dashboards.world import END, STEPS, live

SOURCES = ("Web", "Fair", "")
lives = st.lists(
    st.tuples(
        st.floats(0, 150),
        st.sampled_from(SOURCES),
        st.lists(st.tuples(st.sampled_from(STEPS), st.floats(0.01, 30)), max_size=5),
        st.integers(0, 4),
    ),
    max_size=8,
)
USUAL = (("first_contact", 1.5), ("qualify", 2.5), ("convert", 4.0), ("win", 9.0))


class Naive:
    """Every lead's steps, read from single transitions."""

    def __init__(self, asked):
        self.asked = asked
        self.dates = [(lead.source, self._of(lead)) for lead in Lead.objects.select_related("opportunity")]

    def _of(self, lead) -> list:
        def last(entity, record, test):
            moves = Transition.objects.filter(entity=entity, record_id=record, undone_by=None).order_by("at", "pk")
            return next((move.at for move in reversed(moves) if test(move)), None)

        found = [last("lead", lead.pk, lambda m: m.axis == "status" and m.from_value == "")]
        for value in ("qualified", "converted"):
            found.append(last("lead", lead.pk, lambda m, v=value: m.axis == "status" and m.to_value == v))
        deal = lead.opportunity
        ended = deal and last("opportunity", deal.pk, lambda m: True)
        found.append(ended if deal and deal.stage == "won" else None)
        return found

    def within(self, at) -> bool:
        first, end = self.asked.period.first, self.asked.period.last
        return at is not None and first <= at.astimezone(zone()).date() <= end

    def counts(self, source=None) -> list[int]:
        chosen = [dates for where, dates in self.dates if source is None or where == source]
        if self.asked.mode == "flow":
            return [sum(self.within(dates[n]) for dates in chosen) for n in range(4)]
        opened = [dates for dates in chosen if self.within(dates[0])]
        return [sum(self.reached(dates, n) for dates in opened) for n in range(4)]

    @staticmethod
    def reached(dates, n) -> bool:
        return dates[n] is not None or (n == 1 and dates[2] is not None)

    def times(self, n) -> list:
        chosen = [dates for _, dates in self.dates if self.within(dates[n if self.asked.mode == "flow" else 0])]
        spans = [dates[n] - [date for date in dates[:n] if date][-1] for dates in chosen if dates[n]]
        return [span for span in spans if span >= timedelta()]


@pytest.mark.parametrize("mode", ["cohort", "flow"])
@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(told=lives, first=st.integers(0, 120), length=st.integers(1, 120))
def test_the_funnel_is_that_of_a_naive_model(acme, cast, mode, told, first, length):
    Transition.objects.all().delete()
    Lead.objects.all().delete()
    for ago, source, moves, usual in told:
        live(cast, END - timedelta(days=ago), [*USUAL[:usual], *moves], source=source)
    start = END.date() - timedelta(days=first)
    query = f"mode={mode}&from={start}&to={start + timedelta(days=length)}&split=source"
    with clock.at(END):
        asked = read_query(QueryDict(query), cast.manager.actor("web"))
        tables = {table.name: table for table in funnel(asked).tables}
    naive = Naive(asked)
    steps = tables["steps"].rows
    assert [row.cells[0].value for row in steps] == naive.counts()
    for n, row in enumerate(steps[1:], start=1):
        spans = naive.times(n)
        assert row.cells[2].text == days(median(spans) if spans else None)
        late = timedelta(seconds=percentile([s.total_seconds() for s in spans], 0.75)) if spans else None
        assert row.cells[3].text == days(late)
    for row in tables["split"].rows:
        source = "" if row.label.text == "No value" else row.label.text
        assert [cell.value for cell in row.cells[:4]] == naive.counts(source)


def test_of_few_it_says_so_instead_of_a_share():
    assert rate(2, 4).text == "n/a (too few)"
    assert rate(2, 5).text == "40%"
    assert rate(0, 0).text == "—"


def test_a_median_is_between_two_neighbours():
    assert percentile([1, 2, 10, 20], 0.5) == 6
    assert percentile([4], 0.75) == 4


def test_a_lead_that_is_dated_backwards_is_listed_and_left_out_of_the_times(acme, cast):
    contact = live(cast, END - timedelta(days=20), USUAL)
    lead = Lead.objects.get(contact=contact)
    Lead.objects.filter(pk=lead.pk).update(qualified_date=lead.created_at - timedelta(days=3))
    with clock.at(END):
        tables = {table.name: table for table in funnel(read_query(QueryDict(""), cast.manager.actor("web"))).tables}
    assert [row.label.url for row in tables["order"].rows] == [lead.get_absolute_url()]
    assert [cell.text for cell in tables["order"].rows[0].cells] == ["-3.0 d", "", ""]
    assert tables["steps"].rows[1].cells[0].value == 1
    assert tables["steps"].rows[1].cells[2].text == "—"


def test_a_lead_that_skipped_a_step_is_timed_from_the_last_one_it_took(acme, cast):
    """Like opportunities from a file, with leads that were never qualified."""
    for days_ago in (20, 30):
        contact = live(cast, END - timedelta(days=days_ago), USUAL)
        Lead.objects.filter(contact=contact).update(qualified_date=None)
    late = Lead.objects.latest("created_at")
    Lead.objects.filter(pk=late.pk).update(created_at=late.converted_date + timedelta(hours=28))
    with clock.at(END):
        tables = {table.name: table for table in funnel(read_query(QueryDict(""), cast.manager.actor("web"))).tables}
    assert [row.cells[0].value for row in tables["steps"].rows] == [2, 2, 2, 2]
    assert tables["steps"].rows[2].cells[2].text == "8.0 d"
    assert [row.label.url for row in tables["order"].rows] == [late.get_absolute_url()]
    assert [cell.text for cell in tables["order"].rows[0].cells] == ["", "-28 h", ""]
