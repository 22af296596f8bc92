"""A list's compiled query equals a newly built one, for any viewer and time zone."""

import itertools
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Case, Count, DateTimeField, F, Value, When
from django.test import RequestFactory
from django.utils import timezone

from contacts.models import Company, Contact
from contacts.verbs.capture import capture
from contacts.verbs.lose import lose
from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.entities.models import CustomField
from crm.entities.schema import schema
from crm.entities.verbs.archive_custom_field import archive_custom_field
from crm.entities.verbs.restore_custom_field import restore_custom_field
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit import clock, compiled_queries
from crm.kit.actor import Role
from crm.kit.scope import in_workspace, workspace
from crm.lifecycle.verbs.wait import wait
from crm.lists import paging
from crm.lists.spec import spec_of
from crm.lists.state import read_state
from crm.users.models import Membership, Workspace
from crm.users.verbs.change_role import change_role
from crm.users.verbs.change_team import change_team
from crm.users.verbs.edit_workspace import edit_workspace
from tests.budget import examples
from tests.factories import make_company
from tests.shared import share
from tests.threads import at_once

WHERE = (
    "",
    "stage in (Lead, Qualified)",
    "stage = Lost and last_activity > 90 days ago",
    "owner = me or team = my team",
    "last_activity < 3 days ago and email is not empty",
    "last_activity >= today",
    "last_activity <= 2 months ago",
)


@share
def shared_people(shared_cast):
    """Create sixty contacts of all owners over half a year, some lost."""
    with in_workspace(shared_cast.acme):
        _write_people(shared_cast)


def _write_people(cast):
    for number in range(60):
        who = (cast.rep, cast.mate, cast.outsider, cast.manager)[number % 4]
        with clock.at(timezone.now() - timedelta(days=number * 3)):
            person = {
                "name": f"Person {number % 9}",
                "email": f"p{number}@x.example",
                "team": (None, who.team)[number % 2],
            }
            made = capture([person], by=who.actor("web"), source="test")
            if number % 5 == 0:
                lose(Contact.objects.filter(pk__in=made.done), by=who.actor("web"))


@pytest.fixture
def people(acme, shared_people, monkeypatch):
    """Return sixty contacts of all owners over half a year, some lost, in pages of seven."""
    monkeypatch.setattr(paging, "PAGE", 7)
    compiled_queries._kept.clear()
    yield
    compiled_queries._kept.clear()


def all_pages(url: str, by) -> list[tuple]:
    """Return every row of a list, page by page, and the totals shown."""
    told, after = [], ""
    for _ in range(20):
        request = RequestFactory().get(url)
        request.actor = replace(by)
        state = read_state(request, spec_of("contact"))
        page = paging.list_page_rows(state, paging.parse_cursor(after, state.sort))
        told += [page.total, *page.found]
        after = page.next
        if not after:
            return told
    raise AssertionError("The list has no end.")


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("sort", ["-last_activity", "name", "source"])
def test_every_page_is_the_same_prepared_and_built_anew(people, actor, monkeypatch, where, sort):
    for who in ("rep", "outsider", "viewer", "manager", "rep"):
        url = f"/contact?view=all&where={where}&sort={sort}"
        as_prepared = all_pages(url, actor(who))
        with monkeypatch.context() as patched:
            patched.setattr(paging, "run_cached", lambda key, build, **values: list(build(**values)))
            patched.setattr("crm.kit.nav.run_cached", lambda key, build, plan_once, **values: list(build(**values)))
            assert all_pages(url, actor(who)) == as_prepared
        assert where != "" or len(as_prepared) > 30


def test_a_list_is_compiled_once_and_bound_for_each_member(people, actor):
    url = "/contact?view=all&where=owner = me and last_activity > 30 days ago"
    all_pages(url, actor("rep"))
    known = len(compiled_queries._kept)
    mine = all_pages(url, actor("mate"))
    assert len(compiled_queries._kept) == known
    assert all(compiled is not None for compiled in compiled_queries._kept.values())
    assert {row[1] for row in mine if isinstance(row, tuple)} <= set(
        Contact.objects.filter(owner=actor("mate").member_id).values_list("public_id", flat=True)
    )


def test_time_goes_on_in_a_prepared_query(people, actor):
    url = "/contact?view=all&where=last_activity > 90 days ago"
    before = [row for row in all_pages(url, actor("manager")) if isinstance(row, tuple)]
    with clock.at(timezone.now() + timedelta(days=60)):
        after = [row for row in all_pages(url, actor("manager")) if isinstance(row, tuple)]
    assert len(after) == len(before) + 20


def test_what_a_month_ago_was_is_not_kept(people, actor):
    """A month before a month's last day is another number of days than before the next day."""
    all_pages("/contact?view=all&where=last_activity <= 2 months ago", actor("manager"))
    assert None in compiled_queries._kept.values()


@pytest.mark.parametrize("where", WHERE[1:])
def test_it_is_kept_for_a_day_whatever_it_asks_of_the_calendar(people, actor, where):
    begins = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [begins, begins + timedelta(days=1, microseconds=-1), begins + timedelta(days=1)]

    def build(member):
        looking = Viewer(member, actor("rep").team_id)
        return Contact.objects.filter(parse(where, "contact").expression(looking, clock.now())).values_list("pk")

    for moment in moments:
        with clock.at(moment):
            for who in ("rep", "mate"):
                found = compiled_queries.run_cached("day", build, member=actor(who).member_id)
                assert sorted(found) == sorted(build(actor(who).member_id))
    assert ("months" in where) is (None in compiled_queries._kept.values())
    assert len(compiled_queries._kept) == 2


@pytest.mark.postgres
def test_what_is_planned_once_answers_for_every_value(people):
    """Also with constants in the statement's text, including a percent sign and a quote."""

    def build(name, pk):
        note = Value("100 % of O'Neill's")
        return Contact.objects.filter(name=name, pk__gte=pk, search_text__contains="p").values_list("pk", note)

    for name, pk in (("Person 1", 0), ("Person 2", 0), ("Person 2", 2**40), ("O'Neill", 1)):
        found = compiled_queries.run_cached("names", build, plan_once=True, name=name, pk=pk)
        assert sorted(found) == sorted(build(name, pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%100 \\% of O%"])
        assert cursor.fetchone()[0] >= 1


MOMENT = timezone.now() - timedelta(days=39, hours=12)
DAY, FAR, AT = timedelta(days=1), ZoneInfo("Pacific/Auckland"), DateTimeField()


def _day_in(zone):
    return clock.now().astimezone(zone).date()


HOLES = {
    "another case": (lambda text: Contact.objects.filter(name_key=text.lower()), "Person 1"),
    "without its blanks": (lambda text: Contact.objects.filter(name=text.strip()), "  Person 1 "),
    "in a pattern": (lambda text: Contact.objects.filter(name__icontains=text), "SON 1"),
    "a percent sign": (lambda text: Contact.objects.filter(name__icontains=text), "%"),
    "the next but one": (lambda n: Company.objects.filter(employees__in=[n, n + 2]), 48),
    "a midnight": (lambda at: Contact.objects.filter(last_activity__gte=at.replace(hour=0, minute=0)), MOMENT),
    "the day after": (
        lambda at: Contact.objects.filter(last_activity__range=(at, at + timedelta(days=1))),
        MOMENT,
    ),
    "the earlier of two": (lambda at: Contact.objects.filter(last_activity__gte=min(at, at + DAY)), MOMENT),
    "today": (lambda at: Contact.objects.filter(last_activity__date__lte=clock.now().astimezone(UTC).date()), MOMENT),
    "today far away": (lambda at: Contact.objects.filter(last_activity__date__lte=_day_in(FAR)), MOMENT),
    "a column": (lambda at: Contact.objects.annotate(at=Value(at, AT)).filter(last_activity__gt=F("at")), MOMENT),
    "a smaller column": (lambda n: Company.objects.filter(employees__lt=n), 100),
}


@pytest.mark.parametrize("case", HOLES)
def test_what_a_query_makes_of_a_value_is_made_of_every_value(people, case):
    make_company(employees=50)
    rows_of, value = HOLES[case]
    others = {str: "nobody", int: 1, datetime: MOMENT + timedelta(days=9, hours=5)}
    for each in (value, others[type(value)], value):
        found = compiled_queries.run_cached(
            case, lambda value: rows_of(value).order_by("pk").values_list("pk"), value=each
        )
        assert found == list(rows_of(each).order_by("pk").values_list("pk"))
    assert rows_of(value).exists() is (value != "%")


def test_a_moment_that_was_moved_is_another_one(people):
    """Also for Django, which groups by each distinct expression."""

    def build(at):
        young = {f"under_{days}": Case(When(last_activity__gt=at - days * DAY, then=1), default=0) for days in (14, 60)}
        groups = Contact.objects.order_by().annotate(**young).values(*young)
        return groups.annotate(people=Count("pk")).order_by(*young).values_list(*young, "people")

    now = timezone.now()
    found = compiled_queries.run_cached("groups", build, at=now)
    assert found == list(build(now)) and len(found) == 3


def test_what_a_list_selects_does_not_keep_the_moment_at_which_its_columns_were_looked_at(people, actor):
    """Snoozing depends on the clock; a cached query with a fixed time would be wrong all day."""
    contact = Contact.objects.order_by("pk")[0]
    wait(
        Contact.objects.filter(pk=contact.pk),
        until=timezone.now() + timedelta(minutes=5),
        reason="Budget",
        by=actor("manager"),
    )
    url = f"/contact?view=all&columns=name,waiting&where=name = '{contact.name}'&sort=waiting"

    def waiting():
        request = RequestFactory().get(url)
        request.actor = actor("manager")
        state = read_state(request, spec_of("contact"))
        assert state.columns
        pages = [paging.list_page_rows(state, None)]
        pages.append(
            paging.list_page_rows(state, paging.parse_cursor(pages[0].next, state.sort)) if pages[0].next else pages[0]
        )
        return {row[0] for page in pages for row in page.found if any(each is True or each == 1 for each in row[4:])}

    assert contact.pk in waiting()
    with clock.at(timezone.now() + timedelta(minutes=6)):
        assert contact.pk not in waiting()


def test_a_list_that_cannot_be_read_is_not_taken_for_the_whole_list(actor, acme):
    request = RequestFactory().get("/contact?view=no-such-view")
    request.actor = actor("manager")
    assert read_state(request, spec_of("contact")).key is None


def test_forty_moments_are_forty_parameters(people):
    moments = {f"at_{n}": MOMENT + timedelta(days=n) for n in range(40)}

    def build(**moments):
        return Contact.objects.filter(created_at__in=moments.values()).values_list("pk")

    assert compiled_queries.run_cached("moments", build, **moments) == list(build(**moments))


def test_a_workspace_that_moves_has_other_midnights(people, actor):
    here = actor("admin")
    with clock.at(datetime(2026, 3, 1, 6, 0, tzinfo=UTC)):
        contact = capture([{"name": "At the border", "email": "border@x.example"}], by=here, source="test").done[0]
    url = "/contact?view=all&where=last_activity >= 2026-03-01 and name = 'At the border'"
    found = []
    for zone in ("Pacific/Auckland", "Pacific/Honolulu", "Pacific/Auckland"):
        edit_workspace(name="Acme", timezone=zone, currency="EUR", require_mfa=False, by=actor("admin"))
        with in_workspace(Workspace.objects.get(pk=here.workspace_id)):
            found.append([row for row in all_pages(url, here) if isinstance(row, tuple)])
    assert [len(pages) for pages in found] == [1, 0, 1]
    assert Contact.objects.get(pk=contact).name == "At the border"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_four_threads_and_a_small_memory(cast, monkeypatch):
    """With any cache size and concurrent workspace changes, every result equals a new query's."""
    monkeypatch.setattr(compiled_queries, "MOST", 2)
    compiled_queries._kept.clear()
    with in_workspace(cast.acme):
        _write_people(cast)
    until = time.monotonic() + examples(2)
    answers = Counter()

    def ask(number):
        chosen = random.Random(number)
        while time.monotonic() < until or not answers[number]:
            with in_workspace(Workspace.objects.get(pk=cast.acme.pk)):
                who = chosen.choice((cast.rep, cast.outsider, cast.mate, cast.manager)).pk
                by, where = Membership.objects.get(pk=who).actor("web"), chosen.choice((*WHERE, "fleet > 2"))
                if not schema("contact").find("fleet") and "fleet" in where:
                    continue
                looking = Viewer(by.member_id, by.team_id)

                def build(member, where=where, by=by, team=by.team_id):
                    at = clock.now()
                    shown = parse(where, "contact").expression(Viewer(member, team), at)
                    return Contact.objects.visible_to(by).filter(shown).order_by("pk").values_list("pk")

                with clock.at(timezone.now()):
                    key = (where, by.role, by.member_id, by.team_id, workspace().schema_version)
                    assert compiled_queries.run_cached(key, build, member=looking.member_id) == list(
                        build(looking.member_id)
                    )
                answers[number] += 1

    def change_it():
        zones = itertools.cycle(("Asia/Tokyo", "America/Lima", "Europe/Madrid"))
        roles, teams = itertools.cycle((Role.VIEWER, Role.REP)), itertools.cycle((cast.iberia, cast.nordics, None))
        by = partial(cast.admin.actor, "web")
        field = save_custom_field(CustomField(entity="contact", key="fleet", label="Fleet", type="number"), by=by())
        changes = itertools.cycle(
            (
                lambda: edit_workspace(name="Acme", timezone=next(zones), currency="EUR", require_mfa=False, by=by()),
                lambda: change_role(cast.mate, next(roles), by=by()),
                lambda: change_team(cast.outsider, next(teams), by=by()),
                lambda: archive_custom_field(field, by=by()),
                lambda: restore_custom_field(field, by=by()),
            )
        )
        while time.monotonic() < until:
            next(changes)()
            time.sleep(0.02)

    _, errors = at_once(cast.acme, [*(partial(ask, number) for number in range(4)), change_it])
    assert not errors
