"""The state of a list, read from its URL alone: view, condition, quick filters, search, columns and sort."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from audit.values import model_field
from crm.conditions.compile import Viewer
from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.fields import FieldType
from crm.entities.schema import Schema, schema
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.nav import surroundings
from crm.kit.scope import workspace
from crm.kit.sql import JsonPairs
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.columns import Column, can_be_shown, column
from crm.lists.models import SavedView
from crm.lists.paging import LONGEST, Sort, search
from crm.lists.spec import ListSpec, View
from crm.users.http import Request
from crm.users.visibility import RecordQuerySet

FEW = 10  # comparisons: with more, each may use an index and all together still take long
ALL = View("all", _("All"))
TRASH = View("trash", _("Trash"))
# Parameters of a list's URL, or of a page around it, besides the quick filters.
PARAMETERS = {"view", "where", "columns", "sort", "q", "after", "ticked", "column", "field", "op", "value", "text"}


@dataclass
class ListState:
    """A parsed list URL. `where` is the condition's text; `unread` is why the view or condition can't be read."""

    spec: ListSpec
    view: View
    views: list[View]
    params: QueryDict
    by: Actor
    condition: Condition | None = None
    unread: str = ""
    where: str = ""

    # Why: docs/decisions/0025-unreadable-list-has-no-rows.md
    @cached_property
    def error(self) -> str:
        """The error in the URL: an unknown view, query, sort or filter; '' for none.

        Such a list has no rows. Ignoring the invalid part would let a bulk action or export reach all records.
        """
        return self.unread or self._unknown_sort() or self._unknown_filter()

    def _unknown_sort(self) -> str:
        key = self.params.get("sort", "").removeprefix("-")
        if not key or self._sorts_by(key):
            return ""
        sentence = gettext("{records} can’t be sorted by “{field}”. Choose another sort order.")
        return sentence.format(records=self.spec.kind.plural, field=key)

    def _sorts_by(self, key: str) -> bool:
        return self.shows(key) and self.schema.field(key).type is not FieldType.MULTI_SELECT

    def _unknown_filter(self) -> str:
        if unknown := self.params.keys() - PARAMETERS - self.spec.filterset.base_filters.keys():
            names = ", ".join(f"“{name}”" for name in sorted(unknown) if not name.startswith("place_"))
            sentence = gettext("This list has no filter {names}. Remove it from the URL.")
            return sentence.format(names=names) if names else ""
        if self.is_narrowed and not self.filters.form.is_valid():
            errors = (f"{self.filters.form[key].label}: {' '.join(e)}" for key, e in self.filters.form.errors.items())
            return gettext("Invalid quick filter. {errors}").format(errors=" ".join(errors))
        return ""

    @cached_property
    def schema(self) -> Schema:
        """The fields available as columns, filters and sorts."""
        return schema(self.spec.entity)

    @cached_property
    def in_trash(self) -> bool:
        return self.view.slug == TRASH.slug

    @cached_property
    def column_keys(self) -> list[str]:
        """The column keys from the URL, then the view, then the list."""
        wanted = [key for key in self.params.get("columns", "").split(",") if key] or self.view.columns
        shown = [key for key in wanted or self.spec.columns if self.shows(key)]
        title = self.spec.kind.title
        return [title, *(key for key in dict.fromkeys(shown) if key != title)]

    def shows(self, key: str) -> bool:
        return key in self.schema.fields and can_be_shown(self.schema.field(key))

    @property
    def columns(self) -> list[Column]:
        """Return the columns, name first; built on each call, because their expressions may depend on the time."""
        return [column(self.spec.kind, self.schema.field(key)) for key in self.column_keys]

    @cached_property
    def sort(self) -> Sort:
        for text in (self.params.get("sort", ""), self.view.sort, self.spec.sort):
            key = text.removeprefix("-")
            if key and self._sorts_by(key):
                return Sort(self.schema.field(key), text.startswith("-"))
        raise LookupError(f"The list of {self.spec.entity} has no sort.")

    @cached_property
    def search(self) -> str:
        return self.params.get("q", "").strip()[:LONGEST]

    @cached_property
    def filters(self):
        return self.spec.filterset(self.params, queryset=self.spec.kind.model.objects.all(), by=self.by)

    @cached_property
    def is_narrowed(self) -> bool:
        return any(self.params.get(name) for name in self.spec.filterset.base_filters)

    @cached_property
    def key(self) -> tuple | None:
        """The cache key of the query, apart from the member; None if typed input shapes the query."""
        if self.error or self.search or self.is_narrowed:
            return None
        space, sort = workspace(), (self.sort.field.key, self.sort.descending)
        asked = self.condition.key_text if self.condition else ""
        shown = (tuple(self.column_keys), sort, asked, self.in_trash)
        return ("list", space.pk, space.schema_version, self.spec.entity, self.by.role, *shown)

    def rows(self, by: Actor | None = None) -> RecordQuerySet:
        """Return the rows that match for the member (or `by`), visible or not: `page` and `count` check visibility.

        Empty if the URL cannot be read: a bulk action must not reach all records.
        """
        by = by or self.by
        if self.error:
            return self.spec.kind.model.objects.none()
        rows: Any = self.filters.qs if self.is_narrowed else self.spec.kind.model.objects.all()
        rows = rows.trashed() if self.in_trash else rows.live()
        if self.condition is not None:
            rows = rows.filter(self.condition.expression(Viewer.looking(by), clock.now()))
        return cast(RecordQuerySet, search(rows, self.search, by) if self.search else rows)

    @cached_property
    def is_indexed(self) -> bool:
        """Return whether indexes serve the whole query; others run under a time limit."""
        used, size = (self.condition.fields(), self.condition.size) if self.condition else (set(), 0)
        served = used <= self.spec.indexed and size <= FEW
        return self.sort.indexed and served and not (self.search or self.is_narrowed)

    @property
    def is_changed(self) -> bool:
        """Return whether the URL differs from the view, so that it can be saved."""
        return any(self.params.get(name) is not None for name in ("where", "columns", "sort"))

    def url(self, **changes) -> str:
        """Return the list's URL with parameters set, or removed by None; paging restarts."""
        params = {key: value for key, value in self.params.lists() if key not in ("after", *changes)}
        params |= {key: value for key, value in changes.items() if value is not None}
        query = urlencode(params, doseq=True)
        return f"/{self.spec.path}?{query}" if query else f"/{self.spec.path}"


def read_state(request: Request, spec: ListSpec, params: QueryDict | None = None) -> ListState:
    """Return the list state of a request's URL (or of `params`, for an action on it)."""
    params = request.GET if params is None else params
    views = views_of(spec, request)
    wanted = params.get("view", "")
    view = next((view for view in [*views, TRASH] if view.slug == wanted), None) if wanted else views[0]
    state = ListState(spec, view or View(wanted[:60], wanted[:60]), views, params, request.actor)
    state.where = params.get("where", state.view.condition)
    if view is None:
        sentence = gettext("There’s no view “{name}”, or it isn’t shared with you. Choose another view.")
        state.unread = sentence.format(name=wanted[:60])
    try:
        state.condition = parse(state.where, spec.entity)
    except ConditionError as error:
        state.unread = state.unread or str(error)
    return state


def views_of(spec: ListSpec, request: Request) -> list[View]:
    """Return the member's views in order: the list's own, the workspace's, theirs; a member's view replaces by slug."""
    return _with_saved(spec, surroundings(request).facts["saved_views"], request.actor)


def views_for(spec: ListSpec, by: Actor) -> list[View]:
    return _with_saved(spec, saved_views(by).values_list("fact", flat=True), by)


def _with_saved(spec: ListSpec, facts: Iterable[dict], by: Actor) -> list[View]:
    views = {view.slug: _for(view, by) for view in spec.views}
    saved = [row for row in facts if row["entity"] == spec.entity]
    for row in sorted(saved, key=lambda row: (row["member"] is not None, row["name"].casefold())):
        columns, mine = tuple(row["columns"]), row["member"] is not None
        views[row["slug"]] = View(row["slug"], row["name"], row["condition"], columns, row["sort"], mine, True)
    return list(views.values())


def _for(view: View, by: Actor) -> View:
    if view.for_managers is None or not by.is_at_least(Role.MANAGER):
        return view
    return replace(view, condition=view.for_managers)


def saved_views(by: Actor) -> QuerySet:
    """Return the member's saved views as JSON, loaded with the page's counts."""
    names = ("entity", "slug", "name", "condition", "columns", "sort", "member")
    pairs = {name: (model_field(SavedView, name), F(name)) for name in names}
    rows = SavedView.objects.filter(Q(member__isnull=True) | Q(member=by.member_id))
    return rows.order_by().values(fact=JsonPairs(**pairs))
