"""What somebody asks a dashboard, and the one way in which it counts: a condition, for which the list opens too.

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
    """Who asks, about which days, which records, and how the funnel is to be cut."""

    by: Actor
    period: Period
    where: str = ""
    mode: str = "cohort"
    split: str = "source"
    now: datetime = field(default_factory=clock.now)

    def rows(self, entity: str, *also: str) -> QuerySet:
        """The records that the filter means and the actor sees, of which `also` is true."""
        found = registry.get(entity).model.objects.live().filter(visible(self.by), self.test(entity, self.where))
        for text in also:
            found = found.filter(self.test(entity, text))
        return found

    def test(self, entity: str, text: str) -> Q:
        """A condition as the actor's lists evaluate it."""
        return Q(parse(text, entity).expression(Viewer.looking(self.by), self.now))

    def url(self, entity: str, text: str) -> str:
        """The list of the records that the filter means and of which `text` is true; '' where there can be none."""
        try:
            where = parse(and_(self.where, text), entity).key_text
        except ConditionError:  # a value that no condition can be written with, such as a text of blanks
            return ""
        return f"/{registry.get(entity).path}?{urlencode({'view': 'all', 'where': where})}"

    def count(self, entity: str, text: str, value: int) -> Cell:
        """The number of those records, which opens their list."""
        return Cell(formats.number(value), self.url(entity, text), value)

    def amount(self, entity: str, text: str, value: Decimal | None, currency: str, key: str = "amount") -> Cell:
        """The sum of a money field over those records, which opens their list."""
        value = value or Decimal(0)
        return Cell(formats.money(round(value, 2), currency), self.url(entity, text), value, summed=key)

    # Why: docs/decisions/0031-one-pass-over-one-table.md
    def first(self, entity: str, texts: Mapping[Any, str]) -> Case:
        """The key of the first condition that a record meets, to group by; NULL where it meets none.

        Grouped by it each record is looked at once. A count with a filter for each condition asks all of them of each
        record; and what PostgreSQL would look up in a hash (rows at the end of a link), it looks for anew each time.
        """
        return Case(*(When(self.test(entity, text), then=Value(key)) for key, text in texts.items()))

    def fetch(
        self, build: "Callable[[DashboardQuery], QuerySet]", entity: str, *texts: str, key: Hashable = ""
    ) -> list[tuple]:
        """The rows of `build(asked)`, a queryset of values_list(), compiled once for all who ask the same today.

        build() takes who asks, and when, from its argument. What else shapes its query are the records of `entity`,
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
        """The part of the URL that asks the same again, with changes."""
        own = {"from": str(self.period.first), "to": str(self.period.last), "where": self.where}
        own |= {"mode": self.mode, "split": self.split} | changes
        return urlencode({key: value for key, value in own.items() if value})


def totals(rows: QuerySet, *figures: Any) -> QuerySet:
    """Aggregates over all rows, as a queryset of one tuple."""
    named = {f"f{n}": figure for n, figure in enumerate(figures)}
    return rows.order_by().annotate(whole=Value(1)).values("whole").annotate(**named).values_list(*named)


def read_query(params: QueryDict, by: Actor) -> DashboardQuery:
    """What a URL asks; its condition is read by the parts, each for the records it counts."""
    period = read_period(params.get("from", ""), params.get("to", ""))
    mode = params.get("mode", "")
    split = params.get("split", "") or "source"
    return DashboardQuery(by, period, params.get("where", "").strip(), mode if mode in MODES else "cohort", split)


def any_of(key: str, values: Sequence[str]) -> str:
    """The condition that a select field has one of some values."""
    return f"{key} in ({', '.join(values)})"  # not a text
