"""How an app asks for a list page of its entity: one ListSpec, registered; the page itself is the same for all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django_filters import FilterSet

from crm.entities import registry
from crm.kit.actor import Actor, Role
from crm.kit.outcome import Outcome
from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _
from crm.lists.filters import QuickFilters


@dataclass(frozen=True)
class View:
    """A named list: a condition, columns and a sort (`-key` for descending); '' and () take the list's own."""

    slug: str
    name: str
    condition: str = ""
    columns: tuple[str, ...] = ()
    sort: str = ""
    mine: bool = False  # saved by the member who looks at it
    saved: bool = False
    for_managers: str | None = None  # their condition, where they look after more than others do


@dataclass(frozen=True)
class BulkAction:
    """Something to do with the selected rows. `form` asks what is needed first; `run(rows, cleaned, by)` is a verb."""

    name: str
    label: str
    icon: str
    run: Callable[[Any, dict, Actor], Outcome]
    form: Callable[[Actor], type[forms.Form]]
    done: str  # "Assigned": leads the message
    role: Role = Role.REP
    trash: bool = False  # offered in the trash instead of the list
    offered: Callable[[], bool] = lambda: True  # whether there is anything to choose from


@dataclass(frozen=True)
class ListSpec:
    """The list page of one entity: its URL names, columns, views, quick filters and bulk actions."""

    entity: str
    columns: tuple[str, ...]
    sort: str
    views: tuple[View, ...] = (View("all", _("All")), View("mine", _("Mine"), "owner = me"))
    actions: tuple[BulkAction, ...] = ()
    filterset: type[FilterSet] = QuickFilters
    icon: str = "folder"
    indexed: frozenset[str] = frozenset({"owner", "team"})  # fields that an index serves; others have a time limit
    search_hint: str = _("Name")

    @property
    def path(self) -> str:
        """What stands between the first slashes of its addresses."""
        return self.kind.path

    @property
    def import_url(self) -> str:
        """The name of the page that imports these records, where an app brings one."""
        return f"{self.entity}_import"

    @property
    def export_url(self) -> str:
        return f"{self.entity}_export"

    @property
    def board_url(self) -> str:
        return f"{self.entity}_board"

    @property
    def delete_view_url(self) -> str:
        return f"{self.entity}_delete_view"

    @property
    def kind(self) -> registry.Entity:
        return registry.get(self.entity)

    def action(self, name: str) -> BulkAction:
        """The bulk action called `name`. Raises KeyError."""
        return {action.name: action for action in self.actions}[name]


_specs: Registry[ListSpec] = Registry("list")


def register(spec: ListSpec) -> ListSpec:
    return _specs.add(spec.entity, spec)


def add_action(entity: str, action: BulkAction) -> None:
    """Offer one more thing to do with the rows of an entity's list."""
    spec = spec_of(entity)
    _specs.replace(entity, replace(spec, actions=(*spec.actions, action)))


def spec_of(entity: str) -> ListSpec:
    """The spec of an entity's list. Raises KeyError."""
    return _specs[entity]
