"""Dashboard queries. Every number counts a condition, and opens the list with it.

Why: docs/decisions/0030-every-number-is-a-condition.md
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils.http import urlencode

from crm.conditions.compile import Viewer
from crm.conditions.condition import and_
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.dashboards.period import Period, read_period
from crm.dashboards.tables import Cell
from crm.entities import registry
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace
from crm.kit.translation import gettext_lazy as _
from crm.users.visibility import visible

MODES = {"cohort": _("Cohort: entered in period"), "flow": _("Activity: moved in period")}


@dataclass(frozen=True)
class DashboardQuery:
    """Dashboard query parameters: viewer, period, filter and funnel split."""

    by: Actor
    period: Period
    where: str = ""
    mode: str = "cohort"
    split: str = "source"
    now: datetime = field(default_factory=clock.now)

    def rows(self, entity: str, *also: str) -> QuerySet:
        """Return records in the filter, visible to the actor and matching `also`."""
        found = registry.get(entity).model.objects.live().filter(visible(self.by), self.test(entity, self.where))
        for text in also:
            found = found.filter(self.test(entity, text))
        return found

    def test(self, entity: str, text: str) -> Q:
        """Return a condition, evaluated as in the actor's lists."""
        return Q(parse(text, entity).expression(Viewer.looking(self.by), self.now))

    def url(self, entity: str, text: str) -> str:
        """Return the URL of the list of records in the filter that match `text`; '' if impossible."""
        try:
            where = parse(and_(self.where, text), entity).key_text
        except ConditionError:  # a value that no condition can express, such as blanks
            return ""
        return f"/{registry.get(entity).path}?{urlencode({'view': 'all', 'where': where})}"

    def count(self, entity: str, text: str, value: int) -> Cell:
        """Return a cell with the number of those records, linked to their list."""
        return Cell(formats.number(value), self.url(entity, text), value)

    def amount(self, entity: str, text: str, value: Decimal | None, currency: str, key: str = "amount") -> Cell:
        """Return a cell with a money field's sum over those records, linked to their list."""
        value = value or Decimal(0)
        return Cell(formats.money(round(value, 2), currency), self.url(entity, text), value, summed=key)

    # Why: docs/decisions/0031-one-pass-over-one-table.md
    def first(self, entity: str, texts: Mapping[Any, str]) -> Case:
        """Return the key of the first condition a record meets, to group by; NULL for none.

        Grouping reads each record once. A filtered count per condition would evaluate all conditions on each record,
        and PostgreSQL would repeat hashable lookups (rows at the end of a link) each time.
        """
        return Case(*(When(self.test(entity, text), then=Value(key)) for key, text in texts.items()))

    def fetch(
        self, build: "Callable[[DashboardQuery], QuerySet]", entity: str, *texts: str, key: Hashable = ""
    ) -> list[tuple]:
        """Return the rows of `build(asked)`, a values_list() queryset compiled once per day for identical queries.

        build() takes viewer and time from its argument. Otherwise its query depends only on the records of `entity`,
        the conditions `texts` and `key`.
        """
        space, own = workspace(), (build.__module__, build.__qualname__)
        written = tuple(parse(text, entity).key_text for text in (self.where, *texts))
        shape = (space.pk, space.schema_version, space.timezone, self.by.role, self.period, self.mode, self.split)

        def as_another(member: int | None, team: int | None) -> QuerySet:
            by = replace(self.by, member_id=member, team_id=team)
            return build(replace(self, by=by, now=clock.now()))

        values: dict[str, Any] = {"member": self.by.member_id, "team": self.by.team_id}
        with clock.at(self.now):
            return run_cached((*own, entity, key, written, *shape), as_another, **values)

    def query(self, **changes: str) -> str:
        """Return the URL's query string for the same query, with changes."""
        own = {"from": str(self.period.first), "to": str(self.period.last), "where": self.where}
        own |= {"mode": self.mode, "split": self.split} | changes
        return urlencode({key: value for key, value in own.items() if value})


def totals(rows: QuerySet, *figures: Any) -> QuerySet:
    """Return aggregates over all rows, as a queryset of one tuple."""
    named = {f"f{n}": figure for n, figure in enumerate(figures)}
    return rows.order_by().annotate(whole=Value(1)).values("whole").annotate(**named).values_list(*named)


def read_query(params: QueryDict, by: Actor) -> DashboardQuery:
    """Parse a URL's query; each card parses the condition for its own records."""
    period = read_period(params.get("from", ""), params.get("to", ""))
    mode = params.get("mode", "")
    split = params.get("split", "") or "source"
    return DashboardQuery(by, period, params.get("where", "").strip(), mode if mode in MODES else "cohort", split)


def any_of(key: str, values: Sequence[str]) -> str:
    """Return the condition that a select field has one of `values`."""
    return f"{key} in ({', '.join(values)})"  # not a text
