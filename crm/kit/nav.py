"""What stands in the sidebar. Apps register their entries; the frame knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import IntegerField, QuerySet, Subquery
from django.urls import reverse

from crm.kit.actor import Actor, Role
from crm.kit.scope import workspace

SETTINGS = "Settings"  # the section that is shown beside the settings pages instead
COUNT_LIMIT = 100


@dataclass(frozen=True)
class NavItem:
    """One entry: `icon` is a lucide name, `section` a heading ('' has none), lower `order` stands higher.

    `count` gives the rows to be counted, or None; all counts are one statement, and stop at COUNT_LIMIT.
    `key` is the letter that opens the page after g. `role` is the lowest role that sees the entry.
    """

    label: str
    url_name: str
    icon: str
    order: int
    section: str = ""
    count: Callable[[Actor], QuerySet] | None = None
    key: str = ""
    role: Role = Role.VIEWER

    @property
    def url(self) -> str:
        """Where the entry leads."""
        return reverse(self.url_name)


_items: dict[str, NavItem] = {}


def register(item: NavItem) -> NavItem:
    """Show an entry, once per url_name; returns it."""
    _items[item.url_name] = item
    return item


def items_for(by: Actor) -> list[NavItem]:
    """The entries that the actor sees, in order."""
    return sorted((i for i in _items.values() if by.is_at_least(i.role)), key=lambda item: item.order)


class _Count(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts(items: list[NavItem], by: Actor) -> dict[str, str]:
    """What stands beside the entries, by url_name: "7", "99+", or nothing for none. At most one statement."""
    counted = {f"count_{n}": item for n, item in enumerate(items) if item.count}
    if not counted:
        return {}
    subqueries = {
        alias: _Count(item.count(by).order_by().values("pk")[:COUNT_LIMIT]) for alias, item in counted.items()
    }
    here = workspace()
    row = type(here)._base_manager.filter(pk=here.pk).values(**subqueries).get()
    return {item.url_name: _shown(row[alias]) for alias, item in counted.items()}


def _capped(rows: QuerySet) -> QuerySet:
    return rows.order_by().values("pk")[:COUNT_LIMIT]


def _shown(count: int) -> str:
    return f"{COUNT_LIMIT - 1}+" if count >= COUNT_LIMIT else str(count or "")
