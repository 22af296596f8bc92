"""Sidebar navigation. Apps register their entries; the frame knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from django.db.models import QuerySet
from django.urls import reverse

from crm.kit.actor import Actor, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.registry import Registry
from crm.kit.scope import workspace
from crm.kit.sql import CountRows, JsonRows
from crm.kit.translation import gettext_lazy as _

# The groups of settings pages, in order.
YOU, WORKSPACE, DATA, PROCESS, AUTOMATION, SECURITY = "you", "workspace", "data", "process", "automation", "security"
SETTINGS = {
    YOU: _("You"),
    WORKSPACE: _("Workspace"),
    DATA: _("Data"),
    PROCESS: _("Sales process"),
    AUTOMATION: _("Automation"),
    SECURITY: _("Security"),
}
COUNT_LIMIT = 100


_address = cache(reverse)


@dataclass(frozen=True)
class NavItem:
    """A sidebar entry, or one of the settings in the group `settings`.

    `icon` is a lucide name; lower `order` comes first. `query` is appended to the URL; an entry with `parent`,
    another's url_name, is indented below it. `count` returns the rows to count, at most COUNT_LIMIT, or None; all
    counts share one statement. `key` is the letter that opens the page after g. `role` is the lowest role that sees
    the entry. `fact`: the entry is shown only while that fact (see register_fact) has rows.
    """

    label: str = field(compare=False)  # lazy: differs by language
    url_name: str
    icon: str
    order: int
    settings: str = ""
    count: Callable[[Actor], QuerySet] | None = None
    key: str = ""
    role: Role = Role.VIEWER
    query: str = ""
    parent: str = ""
    fact: str = ""

    @property
    def url(self) -> str:
        return _address(self.url_name) + self.query


@dataclass(frozen=True)
class Surroundings:
    """The page frame's data: `counts` by address, `facts` by name."""

    counts: dict[str, str]
    facts: dict[str, list]


_items: Registry[NavItem] = Registry("entry of the sidebar")  # not a text
_facts: Registry[Callable[[Actor], QuerySet]] = Registry("fact")


def register(item: NavItem) -> NavItem:
    """Register an entry, once per address, and return it."""
    return _items.add(f"{item.url_name}{item.query}", item)


def register_fact(name: str, rows: Callable[[Actor], QuerySet]) -> None:
    """Add rows to the counting statement: `rows(by)` selects one JSON value each, under the name `fact`."""
    _facts.add(name, rows)


def items_for(by: Actor) -> list[NavItem]:
    """Return the entries visible to the actor, in order."""
    return sorted((i for i in _items.values() if by.is_at_least(i.role)), key=lambda item: item.order)


def surroundings(request) -> Surroundings:
    """Return the viewer's counts and facts: one statement per request, none if nothing is registered."""
    if not hasattr(request, "surroundings"):
        request.surroundings = _surroundings(request.actor)
    return request.surroundings


def _surroundings(by: Actor) -> Surroundings:
    here, counted = workspace(), [item for item in items_for(by) if item.count]

    def build(member_id: int | None, team_id: int | None) -> QuerySet:
        someone = replace(by, member_id=member_id, team_id=team_id)
        counts = [CountRows(item.count(someone)) for item in counted if item.count]
        facts = [JsonRows(rows(someone)) for rows in _facts.values()]
        return type(here)._base_manager.filter(pk=here.pk).values_list(*counts, *facts)

    if not counted and not _facts:
        return Surroundings({}, {})
    asked = (tuple(counted), tuple(_facts))
    key = ("surroundings", here.pk, here.schema_version, by.role, *asked)
    row = run_cached(key, build, plan_once=True, member_id=by.member_id, team_id=by.team_id)[0]
    counts = {item.url: _shown(count) for item, count in zip(counted, row, strict=False)}
    facts = {name: rows or [] for name, rows in zip(_facts, row[len(counted) :], strict=True)}
    return Surroundings(counts, facts)


def _shown(count: int) -> str:
    return f"{COUNT_LIMIT - 1}+" if count >= COUNT_LIMIT else str(count or "")
