"""Execution of runs, step by step. A step's effect, its record and the run's position are one transaction.

Only outbox deliveries advance a run: "due" for steps inside the database, "outward" for emails and webhooks, which are
called outside any transaction and recorded in one of their own. A repeated delivery finds the run at another position
and does nothing.

Why: docs/decisions/0014-workflow-runs-are-rows.md
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, transaction

from crm.conditions.errors import ConditionError
from crm.events.deliveries import ATTEMPTS, first_line
from crm.events.publish import publish
from crm.kit import clock
from crm.kit.actor import Channel, system
from crm.kit.errors import DomainError, NotAllowed, Refused
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.workflows.anomalies import look_again
from crm.workflows.models import Run, StepRun
from crm.workflows.start_runs import continue_runs
from crm.workflows.steps import Context, Result, StepFailed, StepKind, step_kind

GONE = _("The record is in the trash, or the workflow owner can no longer see it.")
NOBODY = _("The workflow owner is no longer active. Choose a new owner.")


def advance(pk: int) -> None:
    """Advance a due run up to a step that waits or is outward, in the caller's transaction."""
    run = _hold(pk, Run.Status.RUNNING)
    while run and run.status == Run.Status.RUNNING:
        if run.position >= len(run.version.steps):
            end(run, Run.Status.DONE)
        elif _kind(run) and _kind(run).outward:
            _leave(run)
        else:
            _step(run)


def _hold(pk: int, status: str) -> Run | None:
    held = Run.objects.filter(pk=pk, status=status).select_for_update(of=("self",))
    return held.select_related("workflow", "version", "owner__user").first()


def _kind(run: Run) -> Any:
    return step_kind(run.version.steps[run.position]["kind"])


def _leave(run: Run) -> None:
    """Hand a run over to the outward handler."""
    run.status = Run.Status.OUTWARD
    run.save(update_fields=["status", "position"])
    by = system(run.workspace_id, Channel.WORKFLOW)
    publish("workflow_run.outward", Run.objects.filter(pk=run.pk), by=by)


def _step(run: Run) -> None:
    started, context = time.monotonic(), None
    try:
        with transaction.atomic():
            kind, context = _prepared(run)
            result = kind.perform(context, run.version.steps[run.position])
    except OperationalError:
        raise  # a deadlock or lost connection: the delivery is retried
    except Exception as error:
        _stop(run, error, started)
    else:
        _note(run, context, result, started)
        _take(run, result)


# Why: docs/decisions/0015-workflows-act-as-owner.md
def _prepared(run: Run) -> tuple[StepKind, Context]:
    """Return the next step's kind and context. Raises StepFailed, or Refused for a deleted record."""
    kind = _kind(run)
    if kind is None:
        raise StepFailed(gettext("This action is no longer available. Remove it from the workflow."))
    if run.owner is None or not run.owner.is_active:
        raise StepFailed(NOBODY)
    context = Context(run, run.owner.actor(Channel.WORKFLOW), clock.now())
    if not context.rows.exists():
        raise Refused(GONE)
    return kind, context


def _note(run: Run, context: Context, result: Result, started: float) -> None:
    """Record what the step at the run's position saw, decided and changed."""
    waits = result.until is not None
    _write(
        run,
        started,
        status=StepRun.Status.WAITING if waits else StepRun.Status.DONE,
        decided=result.decided,
        seen=result.seen,
        change=context.by.change if result.changed else None,
        error="",
    )


def _write(run: Run, started: float | None, **facts: Any) -> StepRun:
    kind = run.version.steps[run.position]["kind"]
    step = StepRun.objects.filter(run=run, position=run.position).first() or StepRun(run=run, position=run.position)
    step.workspace_id, step.kind, step.at = run.workspace_id, kind, clock.now()
    if started is not None:
        step.milliseconds = round((time.monotonic() - started) * 1000)
    if not _kind(run) or not _kind(run).outward:
        step.attempts += 1
    for name, value in facts.items():
        setattr(step, name, value)
    step.save()
    return step


def _take(run: Run, result: Result) -> None:
    if result.until is not None:
        run.status, run.resume_at = Run.Status.WAITING, result.until
    else:
        run.position = run.position + 1 if result.jump is None else result.jump
    run.save(update_fields=["status", "position", "resume_at"])


def _stop(run: Run, error: Exception, started: float | None) -> None:
    """End the run at a step that failed or was blocked by a rule."""
    by_rule = isinstance(error, Refused | NotAllowed)
    sentence = str(error) if isinstance(error, DomainError | StepFailed) else first_line(error)
    status = StepRun.Status.REFUSED if by_rule else StepRun.Status.FAILED
    _write(run, started, status=status, error=sentence[:300], decided="", change=None)
    end(run, Run.Status.REFUSED if by_rule else Run.Status.FAILED, sentence)


def end(run: Run, status: str, reason: str = "") -> None:
    """End a run that the caller has locked."""
    run.status, run.reason, run.finished_at, run.resume_at = status, reason[:300], clock.now(), None
    run.save(update_fields=["status", "reason", "finished_at", "resume_at", "position"])
    if status == Run.Status.FAILED:
        look_again(run)


def reach_out(pk: int) -> None:
    """Run the outward step at a run's position, outside any transaction.

    Transient errors are raised, so that the delivery is retried; the last attempt ends the run.
    """
    run = _attempted(pk)
    if run is None:
        return
    started = time.monotonic()
    try:
        kind, context = _prepared(run)
        result = kind.perform(context, run.version.steps[run.position])
    except Exception as error:
        _missed(run, error, started)
    else:
        _settle(run, lambda held: _reached(held, kind, context, result, started))


def _attempted(pk: int) -> Run | None:
    """Return the run with one more attempt, committed first, so that a crash counts as one."""
    with transaction.atomic():
        run = _hold(pk, Run.Status.OUTWARD)
        if run:
            step = _write(run, None, status=StepRun.Status.TRYING)
            StepRun.objects.filter(pk=step.pk).update(attempts=step.attempts + 1)
    return run


def _reached(run: Run, kind: StepKind, context: Context, result: Result, started: float) -> None:
    kind.afterwards(context, run.version.steps[run.position])
    _note(run, context, result, started)
    run.position, run.status = run.position + 1, Run.Status.RUNNING
    run.save(update_fields=["position", "status"])
    continue_runs([run.pk])


def _missed(run: Run, error: Exception, started: float) -> None:
    attempts = StepRun.objects.get(run=run, position=run.position).attempts
    final = isinstance(error, DomainError | StepFailed | ConditionError) or attempts % ATTEMPTS == 0
    if final:
        _settle(run, lambda held: _stop(held, error, started))
        return
    sentence = first_line(error) if not str(error).endswith(".") else str(error)
    _settle(run, lambda held: _write(held, started, status=StepRun.Status.TRYING, error=sentence[:300]))
    raise error


def _settle(run: Run, write: Callable[[Run], Any]) -> None:
    """Record the outward step's result, unless the run was canceled meanwhile."""
    with transaction.atomic():
        held = _hold(run.pk, Run.Status.OUTWARD)
        if held and held.position == run.position:
            write(held)


def resume(run: Run, decided: str, *, stops: bool = False) -> None:
    """Resume a waiting run that the caller has locked, or end it (`stops`)."""
    _write(run, None, status=StepRun.Status.DONE, decided=decided)
    if stops:
        end(run, Run.Status.DONE, decided)
        return
    run.status, run.resume_at, run.position = Run.Status.RUNNING, None, run.position + 1
    run.save(update_fields=["status", "resume_at", "position"])
    continue_runs([run.pk])


def again(run: Run) -> None:
    """Retry the stopped step of a run that the caller has locked.

    The run moves to the workflow's current version if its completed steps are the same there: so fixing a step lets the
    runs that stopped at it continue.
    """
    newest = run.workflow.current
    if newest.trigger["entity"] == run.entity and newest.steps[: run.position] == run.version.steps[: run.position]:
        run.version = newest
    run.status, run.reason, run.finished_at = Run.Status.RUNNING, "", None
    run.save(update_fields=["status", "reason", "finished_at", "version"])
    look_again(run)
    continue_runs([run.pk])
