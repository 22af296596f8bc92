"""Timed work of workflows: expired waits, schedules, dates and released imports."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from audit.models import Entry
from crm.conditions.compile import Viewer
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.fields import FieldType
from crm.entities.schema import schema
from crm.entities.sql import orm_value
from crm.entities.values import zone
from crm.events.scheduler import scheduled
from crm.kit import clock, formats
from crm.kit.language import speaking_in
from crm.kit.scope import in_workspace
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.records.registry import RECORD_TYPES
from crm.users.models import Workspace
from crm.workflows.active_workflows import ActiveWorkflow, active_workflows
from crm.workflows.models import Release, Run, Workflow
from crm.workflows.running import resume
from crm.workflows.start_runs import DueRun, matching_records, start_runs, start_runs_for_event
from crm.workflows.triggers import Occurrence, last_slot

BATCH = 500


@scheduled(every=timedelta(seconds=10))
def keep_time(slot: datetime) -> None:
    """Resume runs with an expired wait, and start scheduled and dated runs."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace), speaking_in(workspace):
            wake()
            for each in active_workflows():
                if each.trigger["kind"] in ("schedule", "date"):
                    look(each)
            release()


def wake() -> None:
    """Resume runs whose time has come or whose awaited condition is met."""
    ids = [*_over(), *_come_true()]
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            held = Run.objects.filter(pk__in=ids[start : start + BATCH], status=Run.Status.WAITING).order_by("pk")
            for run in held.select_for_update(of=("self",), skip_locked=True).select_related("version"):
                _wake(run)


def _over() -> QuerySet:
    waiting = Run.objects.filter(resume_at__lte=clock.now(), status=Run.Status.WAITING)
    return waiting.order_by("resume_at").values_list("pk", flat=True)


def _come_true() -> list[int]:
    """Return runs whose record now meets the awaited condition; one statement per such step."""
    waiting = Run.objects.filter(resume_at__isnull=False, status=Run.Status.WAITING).select_related("version")
    steps: dict[tuple[int, int], list[Run]] = {}
    for run in waiting.order_by("pk"):
        if run.version.steps[run.position]["kind"] == "wait_for":
            steps.setdefault((run.version_id, run.position), []).append(run)
    return [run.pk for runs in steps.values() for run in _met(runs)]


def _met(runs: list[Run]) -> Iterator[Run]:
    step, entity = runs[0].version.steps[runs[0].position], runs[0].entity
    try:
        condition = parse(step["condition"], entity, people=False).expression(Viewer(), clock.now())
    except ConditionError:
        return  # a field was removed: the run waits for its timeout
    rows = RECORD_TYPES[entity].model.objects.live().filter(condition, pk__any_of=[run.record_id for run in runs])
    met = set(rows.values_list("pk", flat=True))
    yield from (run for run in runs if run.record_id in met)


def _wake(run: Run) -> None:
    step = run.version.steps[run.position]
    is_over = run.resume_at is not None and run.resume_at <= clock.now()
    if step["kind"] != "wait_for":
        resume(run, _("Waited"))
    elif not is_over:
        resume(run, _("Condition met"))
    else:
        sentence = ngettext(
            "Condition not met within {count} day", "Condition not met within {count} days", step["days"]
        )
        resume(run, sentence.format(count=formats.number(step["days"])), stops=step["late"] == "stop")


def look(each: ActiveWorkflow) -> None:
    """Start runs of a schedule or date due since the last check; the first check is at activation."""
    now = clock.now()
    with transaction.atomic():
        rows = Workflow.objects.filter(pk=each.workflow, enabled=True).select_for_update()
        since = rows.values_list("checked_at", flat=True).first()
        if since is None or since >= now:
            return
        due = scheduled_due if each.trigger["kind"] == "schedule" else dated_due
        start_runs(due(each, since, now))
        Workflow.objects.filter(pk=each.workflow).update(checked_at=now)


def scheduled_due(each: ActiveWorkflow, since: datetime, now: datetime) -> list[DueRun]:
    """Return a due run per matching record if the schedule came due since the last check."""
    slot = last_slot(each.trigger, now.astimezone(zone()))
    if slot <= since:
        return []
    ids = matching_records(each, now).order_by("pk").values_list("pk", flat=True)
    return [DueRun(each, pk, f"slot:{slot.astimezone(UTC).isoformat()}:{pk}", "schedule") for pk in ids]


def dated_due(each: ActiveWorkflow, since: datetime, now: datetime) -> list[DueRun]:
    """Return a due run per record with a date (plus the trigger's days) since the last check, once per date."""
    days, key = timedelta(days=each.trigger["days"]), each.trigger["field"]
    rows = matching_records(each, now).alias(the_date=orm_value(schema(each.entity).field(key)))
    first, last = _limits(each, since - days, now - days)
    rows = rows.filter(the_date__gt=first, the_date__lte=last).order_by("pk")
    found = rows.values_list("pk", orm_value(schema(each.entity).field(key)))
    return [DueRun(each, pk, f"date:{key}:{_text(value)}:{pk}", "date", {"date": _text(value)}) for pk, value in found]


def _limits(each: ActiveWorkflow, first: datetime, last: datetime) -> tuple[Any, Any]:
    """Return the limits in the field's type: a day counts once its midnight in the workspace has passed."""
    if schema(each.entity).field(each.trigger["field"]).type is FieldType.DATETIME:
        return first, last
    tz: ZoneInfo = zone()
    return first.astimezone(tz).date(), last.astimezone(tz).date()


def _text(value: datetime | date) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


def release() -> None:
    """Start workflows for released imports, some entries at a time."""
    while Release.objects.filter(finished_at__isnull=True).exists():
        with transaction.atomic():
            held = Release.objects.filter(finished_at__isnull=True).select_for_update(skip_locked=True)
            one = held.order_by("pk").first()
            if one is None:
                return
            _release(one)


def _release(one: Release) -> None:
    entries = list(Entry.objects.filter(change=one.change, pk__gt=one.last).order_by("pk")[:BATCH])
    one.started += sum(start_runs_for_event(Occurrence.of_entry(entry)) for entry in entries)
    if entries:
        one.last = entries[-1].pk
    else:
        one.finished_at = clock.now()
    one.save(update_fields=["started", "last", "finished_at"])
