"""Where are customers getting stuck, and why: records past their expected time in stage, by unmet criterion."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import NamedTuple

from django.core.cache import caches
from django.db.models import Case, Count, Q, QuerySet, When

from contacts.axes import LIFECYCLE
from crm.conditions.condition import Condition
from crm.conditions.tree import All
from crm.conditions.unmet import unmet
from crm.conditions.write import LabelWriter, Writer
from crm.dashboards.groups import GROUPS, GroupBy, Names, split_by
from crm.dashboards.parts.funnel import FEW
from crm.dashboards.percentile import Percentile
from crm.dashboards.period import today
from crm.dashboards.query import DashboardQuery
from crm.dashboards.tables import BarRow, Cell, Content, Part, Table, barred, register
from crm.entities import registry
from crm.kit import clock
from crm.kit.scope import workspace_id
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis
from crm.lifecycle.condition_fields import moves_of
from crm.lifecycle.definitions import Definition, condition_of, definitions
from crm.opportunities.axes import OPEN as OPEN_STAGES
from crm.opportunities.axes import STAGE
from leads.axes import OPEN as OPEN_STATUSES
from leads.axes import STATUS
from leads.definitions import IN_PROGRESS, SCORES

# Values that records are expected to leave. Leads by status: their stage follows the score.
JOURNEY: tuple[tuple[Axis, Sequence[str]], ...] = (
    (LIFECYCLE, ("lead", "qualified")),
    (STATUS, OPEN_STATUSES),
    (STAGE, OPEN_STAGES),
)
REMEMBERED = timedelta(days=365)
KEPT = 24 * 3600  # cache lifetime in seconds
# Criteria whose own wording is less clear.
PHRASES = {
    SCORES: _("No open lead with a score of 40 or more"),
    f"any opportunities ({IN_PROGRESS} or stage_kind = won)": _("No open or won opportunity"),  # not a text
}
Owners = dict[str, tuple[str, Counter[int | None]]]  # entity → its late records' condition, and their number per owner


class Reason(NamedTuple):
    """A reason: its condition, the unmet criterion as a phrase, and the list action that helps."""

    entity: str
    text: str
    label: str
    tone: str
    helps: str


def overdue(axis: Axis, value: str, limit: int) -> str:
    """Return the condition of records at a value for more than `limit` days, and not snoozed."""
    return f"{_stands(axis, value, limit)} and waiting = no"  # not a text


def _stands(axis: Axis, value: str, limit: int) -> str:
    return f"{axis.condition(value)} and {axis.since} > {limit} days ago"  # not a text


def limits(axis: Axis, values: Sequence[str], defined: dict[str, Definition]) -> dict[str, int]:
    """Return the days after which a record is stuck at a value: as defined, otherwise the workspace's P75.

    Values with neither are omitted: no threshold is known.
    """
    history = _history(axis) if any(defined[value].expected_days is None for value in values) else {}
    found = {value: defined[value].expected_days or history.get(value) for value in values}
    return {value: limit for value, limit in found.items() if limit}


def _history(axis: Axis) -> dict[str, int]:
    """Return the P75 of days at each value; cached for a day, because it reads a year of moves."""
    key = f"p75-{workspace_id()}-{axis.entity}-{axis.field}-{today()}"
    return caches["values"].get_or_set(key, lambda: dict(_spent(axis)), KEPT) or {}


def _spent(axis: Axis) -> Iterator[tuple[str, int]]:
    moves = moves_of(axis).filter(spent__isnull=False, at__gt=clock.now() - REMEMBERED).order_by()
    found = moves.values("from_value").annotate(count=Count("pk"), late=Percentile("spent", 0.75))
    for value, count, late in found.values_list("from_value", "count", "late"):
        if count >= FEW:
            yield value, max(1, math.ceil(late / timedelta(days=1)))


def reasons(axis: Axis, value: str, definition: Definition, limit: int) -> Iterator[Reason]:
    """Yield reasons at a value: each unmet exit criterion, and all met but not moved."""
    here, stands = overdue(axis, value, limit), axis.value(value)
    ready = condition_of(definition.exit, axis.entity)
    for part in _parts(definition, axis):
        condition, written = Condition(axis.entity, part), Writer().text(part)
        words = f"{stands.label} – {PHRASES.get(written) or unmet(part, LabelWriter())}"
        text = f"{here} and not ({written})"  # not a text
        yield Reason(axis.entity, text, words, "red", _helps(condition))
    if ready:
        words = gettext("{stage} – ready to move").format(stage=stands.label)
        text = f"{here} and ({ready.key_text})"  # not a text
        yield Reason(axis.entity, text, words, "amber", gettext("Change stage"))


def _parts(definition: Definition, axis: Axis) -> tuple:
    """Return the conditions that must all hold for a record to move on."""
    condition = condition_of(definition.exit, axis.entity)
    if condition is None:
        return ()
    return condition.root.parts if isinstance(condition.root, All) else (condition.root,)


def _helps(condition: Condition) -> str:
    """Return the list's bulk action that fixes the criterion, by default snooze."""
    fields = registry.get(condition.entity).fields
    mendable = [key for key in condition.fields() if key in fields and fields[key].editable]
    return gettext("Edit") if mendable else gettext("Snooze")


def stuck(asked: DashboardQuery) -> Content:
    """Return stuck records by reason and by owner, now and independent of the period."""
    lines, unknown = [], []
    owners: Owners = {}
    for axis, values in JOURNEY:
        defined = definitions(axis)
        known = limits(axis, values, defined)
        unknown += [f"{registry.get(axis.entity).label} · {axis.value(v).label}" for v in values if v not in known]
        if known:
            why, owners[axis.entity] = _along(asked, axis, known, defined)
            lines += why
    lines.sort(key=lambda line: -line[2])
    headings = (gettext("Unmet criterion"), gettext("Records"), gettext("Bulk action"))
    reason = Table("why", "", headings, barred(lines), bars=True, empty=NOTHING)
    sub = gettext("Past expected time in stage, by unmet exit criterion")
    return Content([reason, _by_owner(asked, owners)], sub=sub, note=_note(unknown))


def _along(
    asked: DashboardQuery, axis: Axis, known: dict[str, int], defined: dict[str, Definition]
) -> tuple[list[tuple], tuple[str, Counter]]:
    """Return one axis's lines, and the condition of all its stuck records with their number per owner."""
    late = f"({' or '.join(_stands(axis, *each) for each in known.items())}) and waiting = no"  # not a text
    parts = {value: _parts(defined[value], axis) for value in known}
    counts, owners = Counter[tuple[str, int]](), Counter[int | None]()
    for value, owner, count, *holds in _groups(asked, axis, late, parts):
        owners[owner] += count
        for n in _missing(holds[: len(parts[value])]):
            counts[value, n] += count
    lines = [
        _line(asked, reason, counts[value, n])
        for value, limit in known.items()
        for n, reason in enumerate(reasons(axis, value, defined[value], limit))
        if counts[value, n]
    ]
    return lines, (late, owners)


def _missing(holds: Sequence[int]) -> list[int]:
    """Return the indexes of unmet parts, or one past the last if all are met."""
    return [n for n, each in enumerate(holds) if not each] or [len(holds)]


def _groups(asked: DashboardQuery, axis: Axis, late: str, parts: dict[str, tuple]) -> list[tuple]:
    """Return (value, owner, count, and 1 or 0 per exit criterion) of late records; one statement."""
    texts = {value: [Writer().text(part) for part in own] for value, own in parts.items()}

    def build(asked: DashboardQuery) -> QuerySet:
        holds = {f"holds{n}": _holds(asked, axis, texts, n) for n in range(max(map(len, texts.values())))}
        rows = asked.rows(axis.entity, late).order_by().annotate(**holds).values(axis.field, "owner_id", *holds)
        return rows.annotate(count=Count("pk")).values_list(axis.field, "owner_id", "count", *holds)

    lengths = tuple((value, len(own)) for value, own in texts.items())
    return asked.fetch(build, axis.entity, late, *chain(*texts.values()), key=(axis.field, lengths))


def _holds(asked: DashboardQuery, axis: Axis, texts: dict[str, list[str]], place: int) -> Case:
    """Return whether the criterion at an index holds for a record's current value."""
    tests = {value: own[place] for value, own in texts.items() if place < len(own)}
    whens = (When(Q(asked.test(axis.entity, text), **{axis.field: value}), then=1) for value, text in tests.items())
    return Case(*whens, default=0)


NOTHING = _("Nothing is stuck. All records are within their expected time.")


def _line(asked: DashboardQuery, reason: Reason, count: int) -> tuple:
    cell = asked.count(reason.entity, reason.text, count)
    # Ticked, so that the list opens with the helpful action available.
    label = Cell(f"{registry.get(reason.entity).label} · {reason.label}", f"{cell.url}&ticked=all")
    return label, (cell, Cell(reason.helps)), count, reason.tone


def _note(unknown: list[str]) -> str:
    if not unknown:
        return ""
    note = gettext("Not enough history for: {stages}. Admins can set an expected time under Lifecycle.")
    return note.format(stages=", ".join(unknown))


def _by_owner(asked: DashboardQuery, found: Owners) -> Table:
    split = split_by(asked, "contact", "owner")
    names, kinds = Names(split), [registry.get(axis.entity) for axis, values in JOURNEY]
    together = sum((counts for late, counts in found.values()), Counter[int | None]())
    rows = [
        BarRow(Cell(split.label(owner, None, names)), [_owned(asked, kind.name, split, owner, found) for kind in kinds])
        for owner, count in together.most_common(GROUPS)
    ]
    return Table("owners", gettext("By owner"), (gettext("Owner"), *(kind.plural for kind in kinds)), rows, empty="")


def _owned(asked: DashboardQuery, entity: str, split: GroupBy, owner: int | None, found: Owners) -> Cell:
    if entity not in found:
        return Cell("0", value=0)
    late, counts = found[entity]
    return asked.count(entity, f"{split.condition(owner)} and {late}", counts[owner])


register(Part("stuck", _("Where records are stuck"), stuck, width=5))
