"""A member's exceptions: the sidebar count, and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.timeline import read_cursor
from crm.anomalies.kinds import ANOMALY_KINDS, AnomalyKind
from crm.anomalies.models import Finding, Waiver
from crm.entities import registry
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.nav import COUNT_LIMIT
from crm.lists.paging import sample_keys, visible_rows_in_order

PAGE = 50


def visible_findings(findings: QuerySet, by: Actor) -> QuerySet:
    """Filter to findings on records visible to the actor: by the record, because the copy may be two minutes old."""
    if by.is_at_least(Role.MANAGER):
        return findings
    entities = sorted({kind.entity for kind in ANOMALY_KINDS.values()})
    rows = {name: registry.get(name).model.objects.visible_to(by).filter(pk=OuterRef("record_id")) for name in entities}
    return findings.filter(reduce(or_, (Q(Exists(found), entity=name) for name, found in rows.items()), Q(pk__in=[])))


def open_findings(by: Actor) -> QuerySet:
    """Return the open ones, as many as the sidebar counts."""
    return sample_keys(visible_findings(Finding.objects.unwaived(), by), by, COUNT_LIMIT)


@dataclass
class FindingLine:
    """One exception for display: its record, and its current waiver, if any."""

    finding: Finding
    kind: AnomalyKind
    record: Any
    waiver: Waiver | None = None

    @property
    def help_url(self) -> str:
        return self.kind.url(self.record)


@dataclass(frozen=True)
class FindingPage:
    """Some exceptions, newest first, and the cursor of the next page ('' at the end)."""

    lines: list[FindingLine]
    cursor: str


def finding_page(
    by: Actor, *, kind: str = "", owner: Q | None = None, waived: bool = False, before: str = ""
) -> FindingPage:
    """Return one page of the exceptions visible to the actor; `before` is the previous page's cursor."""
    rows = Finding.objects.waived() if waived else Finding.objects.unwaived()
    rows = visible_findings(rows.filter(kind=kind) if kind else rows, by).filter(owner or Q())
    if place := read_cursor(before):
        at, pk = place
        rows = rows.filter(since__lte=at).filter(Q(since__lt=at) | Q(pk__lt=pk))
    found = list(visible_rows_in_order(rows, by, PAGE + 1, "-since", "-pk").select_related("owner__user")[: PAGE + 1])
    last = found[PAGE - 1] if len(found) > PAGE else None
    cursor = f"{last.since.isoformat()}~{last.pk}" if last else ""
    return FindingPage(_lines(found[:PAGE], by, _waivers(found, clock.now()) if waived else {}), cursor)


def _lines(found: Sequence[Finding], by: Actor, waivers: dict[tuple[str, int], Waiver]) -> list[FindingLine]:
    """Return lines with their records, one statement per entity; deleted records and removed kinds are dropped."""
    known = {kind.name for kind in ANOMALY_KINDS.values()}
    found = [item for item in found if item.kind in known]
    records = {name: _records(name, found, by) for name in {item.entity for item in found}}
    return [
        FindingLine(item, ANOMALY_KINDS[item.kind], record, waivers.get((item.kind, item.record_id)))
        for item in found
        if (record := records[item.entity].get(item.record_id))
    ]


def _records(entity: str, found: Sequence[Finding], by: Actor) -> dict[int, Any]:
    kind = registry.get(entity)
    ids = [item.record_id for item in found if item.entity == entity]
    rows = kind.model.objects.visible_to(by).filter(pk__any_of=ids)
    link = kind.title_path.rpartition("__")[0]
    return rows.select_related(*[link] if link else []).in_bulk()


def _waivers(found: Sequence[Finding], now: datetime) -> dict[tuple[str, int], Waiver]:
    rows = Waiver.objects.filter(record_id__in=[item.record_id for item in found], until__gt=now)
    return {(row.kind, row.record_id): row for row in rows.select_related("member__user").order_by("created_at")}
