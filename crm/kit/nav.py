"""What stands in the sidebar. Apps register their entries; the frame knows none of them."""

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

SETTINGS = "settings"  # the section that is shown beside the settings pages instead
COUNT_LIMIT = 100


_address = cache(reverse)


@dataclass(frozen=True)
class NavItem:
    """One entry: `icon` is a lucide name, `section` a heading ('' has none), lower `order` stands higher.

    `query` is added to the address; an entry with `parent`, the url_name of another, stands indented below that.
    `count` gives the rows to be counted, no more than COUNT_LIMIT of them, or None; all counts are one statement.
    `key` is the letter that opens the page after g. `role` is the lowest role that sees the entry. `fact`: the entry
    is there while that fact (see register_fact) has rows.
    """

    label: str = field(compare=False)  # lazy: another text in another language
    url_name: str
    icon: str
    order: int
    section: str = ""
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
    """What every page of a request shows around its content: `counts` by address, `facts` by name."""

    counts: dict[str, str]
    facts: dict[str, list]


_items: Registry[NavItem] = Registry("entry of the sidebar")  # not a text
_facts: Registry[Callable[[Actor], QuerySet]] = Registry("fact")


def register(item: NavItem) -> NavItem:
    """Show an entry, once per address; returns it."""
    return _items.add(f"{item.url_name}{item.query}", item)


def register_fact(name: str, rows: Callable[[Actor], QuerySet]) -> None:
    """Fetch rows in the statement that counts: `rows(by)` selects one JSON value each, under the name `fact`."""
    _facts.add(name, rows)


def items_for(by: Actor) -> list[NavItem]:
    """The entries that the actor sees, in order."""
    return sorted((i for i in _items if by.is_at_least(i.role)), key=lambda item: item.order)


def surroundings(request) -> Surroundings:
    """Counts and facts for the person who asks; one statement a request, and none when nothing is registered."""
    if not hasattr(request, "surroundings"):
        request.surroundings = _surroundings(request.actor)
    return request.surroundings


def _surroundings(by: Actor) -> Surroundings:
    here, counted = workspace(), [item for item in items_for(by) if item.count]

    def build(member_id: int | None, team_id: int | None) -> QuerySet:
        someone = replace(by, member_id=member_id, team_id=team_id)
        counts = [CountRows(item.count(someone)) for item in counted if item.count]
        facts = [JsonRows(rows(someone)) for rows in _facts]
        return type(here)._base_manager.filter(pk=here.pk).values_list(*counts, *facts)

    if not counted and not _facts.names():
        return Surroundings({}, {})
    asked = (tuple(counted), tuple(_facts.names()))
    key = ("surroundings", here.pk, here.schema_version, by.role, *asked)
    row = run_cached(key, build, plan_once=True, member_id=by.member_id, team_id=by.team_id)[0]
    counts = {item.url: _shown(count) for item, count in zip(counted, row, strict=False)}
    facts = {name: rows or [] for name, rows in zip(_facts.names(), row[len(counted) :], strict=True)}
    return Surroundings(counts, facts)


def _shown(count: int) -> str:
    return f"{COUNT_LIMIT - 1}+" if count >= COUNT_LIMIT else str(count or "")
