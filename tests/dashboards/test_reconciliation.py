"""Every number on a dashboard equals its list's, for any viewer and filter."""

from datetime import timedelta
from random import Random
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Sum
from django.http import QueryDict

from crm.dashboards.jobs import keep_forecasts
from crm.dashboards.layout import allowed
from crm.dashboards.query import read_query
from crm.dashboards.tables import Cell, Part
from crm.entities import registry
from crm.kit import clock
from crm.kit.scope import in_workspace
from crm.lists.paging import count
from crm.lists.spec import spec_of
from crm.lists.state import read_state as read_list
from crm.users.visibility import visible
from tests.budget import examples
from tests.dashboards.world import END, people
from tests.shared import share

ROUNDS = examples(50)
ROLES = ("viewer", "rep", "outsider", "manager")
FILTERS = (
    "",
    "owner = me",
    "team = my team",
    "owner is empty",
    "source = web",
    'source = web or owner = "Mate"',
    "not (source contains air)",
    "created_at > 60 days ago",
)
SPLITS = ("source", "owner", "team", "country", "campaign", "status", "contact.role", "nonsense")


@share
def shared_half_year(shared_cast):
    with in_workspace(shared_cast.acme):
        people(shared_cast, Random(7), 60)
        with clock.at(END - timedelta(days=30)):
            keep_forecasts(clock.now())


@pytest.fixture
def populated(acme, shared_half_year):
    """Return half a year of contacts, as of END."""
    with clock.at(END):
        yield


def questions(random: Random):
    """Draw query parameters of a dashboard."""
    for _ in range(ROUNDS):
        first = END.date() - timedelta(days=random.randint(0, 210))
        last = first + timedelta(days=random.randint(0, 150))
        params = {"from": str(first), "to": str(last), "where": random.choice(FILTERS)}
        params |= {"mode": random.choice(("cohort", "flow")), "split": random.choice(SPLITS)}
        yield random.choice(ROLES), _query(params)


def cells(part: Part, asked) -> list[Cell]:
    """Return every cell of a card, labels included."""
    rows = [row for table in part.make(asked).tables for row in table.rows]
    return [cell for row in rows for cell in row.cells]


class Lists:
    """Counts and sums of lists, queried like their pages."""

    def __init__(self, actor):
        self.actor = actor
        self.request = SimpleNamespace(actor=actor)

    def state(self, url: str):
        """Return the list state of a URL."""
        parts = urlsplit(url)
        entity = next(e for e in registry.all_entities() if e.path == parts.path[1:])
        self.request.GET = QueryDict(parts.query)
        found = read_list(self.request, spec_of(entity.name))
        assert not found.error, (url, found.error)
        return found

    def number(self, cell: Cell):
        """Return the cell's expected value from its list."""
        rows = self.state(cell.url).rows()
        if cell.summed:
            return rows.filter(visible(self.actor)).aggregate(total=Sum(cell.summed))["total"] or 0
        return count(rows, self.actor, exact=True)


def test_every_number_is_that_of_the_list_it_opens(populated, cast, actor):
    random, checked = Random(11), 0
    lists = {role: Lists(actor(role)) for role in ROLES}
    shown = set()
    for role, params in questions(random):
        by = lists[role].actor
        asked = read_query(params, by)
        for part in random.sample(allowed(by), 2):
            for cell in (cell for cell in cells(part, asked) if cell.url):
                assert cell.value == lists[role].number(cell), (role, params.urlencode(), part.name, cell)
                checked += 1
                shown.add((part.name, bool(cell.value)))
    assert checked > 25 * ROUNDS
    seen = {name for name, some in shown if some}
    assert seen >= {part.name for part in allowed(lists["manager"].actor)}


def _query(params: dict[str, str]) -> QueryDict:
    found = QueryDict(mutable=True)
    found.update(params)
    return found


@pytest.mark.parametrize("role", ROLES)
def test_the_pages_say_the_same(populated, cast, sign_in, role):
    client = sign_in(role)
    with in_workspace(cast.acme):
        asked = read_query(QueryDict("split=owner"), getattr(cast, role).actor("web"))
        found = [cell for part in allowed(asked.by) for cell in cells(part, asked) if cell.url and not cell.summed]
    for cell in Random(3).sample(found, 15):
        path, query = cell.url.split("?")
        assert parse_qs(query)["view"] == ["all"]
        told = client.get(f"{path}/count?{query}").content.decode()
        assert f"{cell.value:,}" in told, (cell, told)
