"""List pages of entities: an app registers a ListSpec; the page itself is shared."""

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
    """A named list: condition, columns and sort (`-key` for descending); '' and () use the list's defaults."""

    slug: str
    name: str
    condition: str = ""
    columns: tuple[str, ...] = ()
    sort: str = ""
    mine: bool = False  # saved by the viewer
    saved: bool = False
    for_managers: str | None = None  # the condition for managers, if it differs


@dataclass(frozen=True)
class BulkAction:
    """An action on the selected rows. `form` asks for input first; `run(rows, cleaned, by)` is a verb."""

    name: str
    label: str
    icon: str
    run: Callable[[Any, dict, Actor], Outcome]
    form: Callable[[Actor], type[forms.Form]]
    done: str  # e.g. "Assigned": starts the message
    role: Role = Role.REP
    trash: bool = False  # offered in the trash instead of in the list
    offered: Callable[[], bool] = lambda: True  # e.g. whether there is anything to choose from


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
    indexed: frozenset[str] = frozenset({"owner", "team"})  # indexed fields; conditions on others get a time limit
    search_hint: str = _("Name")

    @property
    def path(self) -> str:
        """The first segment of the list's URLs."""
        return self.kind.path

    @property
    def import_url(self) -> str:
        """The URL name of the import page, if an app has one."""
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
        """Return the bulk action called `name`. Raises KeyError."""
        return {action.name: action for action in self.actions}[name]


_specs: Registry[ListSpec] = Registry("list")


def register(spec: ListSpec) -> ListSpec:
    return _specs.add(spec.entity, spec)


def add_action(entity: str, action: BulkAction) -> None:
    spec = spec_of(entity)
    _specs[entity] = replace(spec, actions=(*spec.actions, action))


def spec_of(entity: str) -> ListSpec:
    """Return the spec of an entity's list. Raises KeyError."""
    return _specs[entity]
