"""Starting of runs: which workflows respond to an event, once each, with loop protection.

A run caused by another is one level deeper. In a chain no workflow runs twice on the same record, no run is deeper than
DEEPEST, and there are at most BUDGET runs. A workflow that runs more than OFTEN times on one record within SPAN is
paused, and its owner notified. Prevented runs are stored as skipped, with the reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, Q, QuerySet, Value, When

from crm.conditions.compile import Viewer
from crm.events.publish import publish
from crm.kit import clock, formats
from crm.kit.actor import Channel, system
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.records.registry import RECORD_TYPES
from crm.workflows.active_workflows import ActiveWorkflow, answering
from crm.workflows.models import Run, StepRun
from crm.workflows.triggers import Occurrence, fits
from crm.workflows.verbs.pause_workflow import pause_workflow

# Why: docs/decisions/0016-every-chain-of-runs-ends.md
DEEPEST = 8
BUDGET = 40
OFTEN, SPAN = 16, timedelta(minutes=10)
AS_RUN = Run.Status.RUNNING


@dataclass(frozen=True)
class DueRun:
    """A workflow due to run on a record, triggered by the event in `key`."""

    active: ActiveWorkflow
    record_id: int
    key: str
    event: str = ""
    seen: dict[str, Any] = field(default_factory=dict)


def start_runs_for_event(happening: Occurrence) -> int:
    """Start the runs that an event triggers, in the caller's transaction; return how many."""
    asked = [each for each in answering(happening.name) if fits(each.trigger, happening)]
    due = []
    for entity in sorted({each.entity for each in asked}):
        pk = happening.record_of(entity)
        own = [each for each in asked if each.entity == entity]
        facts = (happening.key, happening.name, happening.seen)
        due += [DueRun(each, pk, *facts) for each in _meeting(own, entity, pk)] if pk else []
    return start_runs(due, _cause(happening)) if due else 0


def _meeting(asked: Sequence[ActiveWorkflow], entity: str, pk: int) -> list[ActiveWorkflow]:
    """Return the workflows whose condition the record meets now, in one statement."""
    conditions = {each.condition.key_text: each.condition for each in asked}
    texts = sorted(conditions)
    rows = RECORD_TYPES[entity].model.objects

    def build(pk: int) -> Any:
        now = clock.now()
        holds = [Case(When(Q(conditions[t].expression(Viewer(), now)), then=1), default=Value(0)) for t in texts]
        return rows.live().filter(pk=pk).values_list("pk", *holds)

    space = workspace()
    found = run_cached(("workflows", space.pk, space.schema_version, entity, tuple(texts)), build, pk=pk)
    held = dict(zip(texts, found[0][1:], strict=True)) if found else {}
    return [each for each in asked if found and held[each.condition.key_text]]


def matching_records(each: ActiveWorkflow, now: datetime) -> QuerySet:
    return RECORD_TYPES[each.entity].model.objects.live().filter(each.condition.expression(Viewer(), now))


def _cause(happening: Occurrence) -> Run | None:
    if happening.channel != Channel.WORKFLOW:
        return None
    step = StepRun.objects.filter(change=happening.change).select_related("run").first()
    return step.run if step else None


def start_runs(due: Sequence[DueRun], cause: Run | None = None) -> int:
    """Create the due runs that don't exist yet and queue them; return how many will run.

    A workflow runs once per key, however often it is delivered. In the caller's transaction.
    """
    known = Run.objects.filter(workflow__in={each.active.workflow for each in due}, key__in={e.key for e in due})
    there = set(known.values_list("workflow_id", "key"))
    fresh = [each for each in due if (each.active.workflow, each.key) not in there]
    chain = _Chain.of(cause)
    often = _often(fresh)
    runs = [_run(each, cause, chain, often) for each in fresh]
    Run.objects.bulk_create(runs)
    _pause([run for run in runs if run.reason == _too_often()])
    started = [run.pk for run in runs if run.status == AS_RUN]
    continue_runs(started)
    return len(started)


def continue_runs(runs: Iterable[int]) -> None:
    by = system(workspace().pk, Channel.WORKFLOW)
    publish("workflow_run.due", Run.objects.filter(pk__any_of=list(runs)), by=by)


def _too_deep() -> str:
    return ngettext(
        "Loop prevented: {count} workflow had triggered the next one.",
        "Loop prevented: {count} workflows had triggered one another.",
        DEEPEST,
    ).format(count=formats.number(DEEPEST))


def _too_many() -> str:
    return ngettext(
        "Loop prevented: one change had triggered {count} run.",
        "Loop prevented: one change had triggered {count} runs.",
        BUDGET,
    ).format(count=formats.number(BUDGET))


def _too_often() -> str:
    return ngettext(
        "Paused: it ran more than {count} time on one record within 10 minutes.",
        "Paused: it ran more than {count} times on one record within 10 minutes.",
        OFTEN,
    ).format(count=formats.number(OFTEN))


@dataclass
class _Chain:
    """All runs so far in the chain from one change: how many, and which on which record.

    All branches, not only the path to this run: two workflows that trigger each other run once each.
    """

    count: int
    passed: set[tuple[int, str, int]]

    @classmethod
    def of(cls, cause: Run | None) -> "_Chain":
        if cause is None:
            return cls(0, set())
        rows = Run.objects.filter(root=cause.root).exclude(status=Run.Status.SKIPPED)
        ran = list(rows.values_list("workflow", "entity", "record_id"))
        return cls(len(ran), set(ran))

    def objection(self, due: DueRun, depth: int) -> str:
        """Return why a run is prevented; '' if it may run."""
        if (due.active.workflow, due.active.entity, due.record_id) in self.passed:
            return _("Loop prevented: it already ran on this record in the same chain.")
        if depth > DEEPEST:
            return _too_deep()
        self.count += 1
        return _too_many() if self.count > BUDGET else ""


def _often(due: Sequence[DueRun]) -> set[tuple[int, int]]:
    """Return (workflow, record) of runs that were too frequent recently."""
    by_record: dict[tuple[str, int], set[int]] = {}
    for each in due:
        by_record.setdefault((each.active.entity, each.record_id), set()).add(each.active.workflow)
    if len(by_record) != 1:
        return set()  # many records at once: scheduled or manual, once per record
    ((entity, record), workflows), since = next(iter(by_record.items())), clock.now() - SPAN
    rows = Run.objects.of_record(entity, record).filter(workflow__in=workflows, started_at__gte=since).order_by()
    counts = rows.exclude(status=Run.Status.SKIPPED).values_list("workflow").annotate(count=Count("pk"))
    return {(pk, record) for pk, count in counts if count >= OFTEN}


def _run(due: DueRun, cause: Run | None, chain: _Chain, often: set[tuple[int, int]]) -> Run:
    active, now, depth = due.active, clock.now(), cause.depth + 1 if cause else 0
    reason = chain.objection(due, depth)
    if not reason and (active.workflow, due.record_id) in often:
        reason = _too_often()
    return Run(
        workspace_id=workspace().pk,
        workflow_id=active.workflow,
        version_id=active.version,
        owner_id=active.owner,
        key=due.key,
        event=due.event,
        seen=due.seen,
        entity=active.entity,
        record_id=due.record_id,
        cause=cause,
        root=cause.root if cause else due.key,
        depth=depth,
        status=Run.Status.SKIPPED if reason else AS_RUN,
        reason=reason,
        started_at=now,
        finished_at=now if reason else None,
    )


def _pause(runs: Sequence[Run]) -> None:
    for pk in sorted({run.workflow_id for run in runs}):
        with transaction.atomic():
            pause_workflow(pk, _too_often(), by=system(workspace().pk))
