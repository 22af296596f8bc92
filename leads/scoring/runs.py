"""Recalculation of a workspace's open leads at one instant.

A run is a row: any process can continue it at the same instant, with the same scores. Each step is one transaction that
scores some leads and one that updates their stages, so that it never holds both locks in the reverse order of an
event's writer (score, then contact).

Why: docs/decisions/0034-recalculation-is-a-row.md
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Min, Q
from django.utils import timezone

from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import commit_without_waiting
from crm.kit.sqlite import courtesy
from leads.models import Lead, Score, ScoringRun
from leads.scoring.current import current
from leads.scoring.score import decay, recompute, refit, stale
from leads.staging import restage

# SQLite has one writer: a batch takes some 15 ms, then others have their turn (RELIABILITY R24).
BATCH = {"postgresql": 100_000, "sqlite": 200}

Progress = Callable[[ScoringRun], None]


def open_run(*, at: datetime | None = None, full: bool = False, anew: bool = False, by: Actor) -> ScoringRun:
    """Return the open run if it fits (any does, for a run as of now); otherwise, or with `anew`, replace it."""
    there = ScoringRun.objects.filter(finished_at__isnull=True).first()
    if there and not anew and (at is None or there.at == at) and there.full >= full:
        return there
    if there:
        ScoringRun.objects.filter(pk=there.pk).update(finished_at=timezone.now())
    run = ScoringRun(at=at or clock.now(), exact=at is not None, full=full, change=by.change, created_at=timezone.now())
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:  # another process was first
        return ScoringRun.objects.get(finished_at__isnull=True)
    return run


def finish_scoring_run(run: ScoringRun, *, by: Actor, progress: Progress | None = None) -> ScoringRun:
    """Score all remaining leads. An early end leaves whole batches, and the row to continue from."""
    by = replace(by, change=run.change)
    more = True
    while more:
        with courtesy.batch():
            more = _step(run, by)
        if progress:
            progress(run)
    run.refresh_from_db()
    return run


def _step(run: ScoringRun, by: Actor) -> bool:
    """Score a batch, then update its stages; return False when none is left."""
    with transaction.atomic():
        held = _held(run)
        if held.scored == held.cursor:
            held.scored = end_of_batch(held.cursor)
            if held.scored == held.cursor:
                over = ScoringRun.objects.filter(pk=run.pk, finished_at__isnull=True)
                over.update(finished_at=timezone.now(), leads=Lead.objects.open().count())
                return False
            score_batch(held, held.cursor, held.scored)
            held.save(update_fields=["scored", "changed"])
    with transaction.atomic():
        held = _held(run)
        moved = restage(_between(held.cursor, held.scored), by=by)
        held.up, held.down, held.cursor = held.up + moved.up, held.down + moved.down, held.scored
        held.save(update_fields=["up", "down", "cursor"])
    return True


def _held(run: ScoringRun) -> ScoringRun:
    """Lock the row, so that two processes alternate on one run. Steps are repeated after a crash."""
    commit_without_waiting()
    return ScoringRun.objects.select_for_update().get(pk=run.pk)


def end_of_batch(cursor: int) -> int:
    """Return the last id of the batch after `cursor`, starting at the next lead; `cursor` if there is none."""
    following = Lead.objects.filter(pk__gt=cursor).aggregate(first=Min("pk"))["first"]
    return following + BATCH[connection.vendor] - 1 if following else cursor


def _between(first: int, last: int):
    return Lead.objects.open().filter(pk__gt=first, pk__lte=last)


def score_batch(run: ScoringRun, first: int, last: int) -> None:
    leads, at = _between(first, last), run.at
    if run.full or _unsure(run, first, last):
        doubtful = leads if run.full else leads.filter(stale(current(), at, later=run.exact))
        run.changed += recompute(list(doubtful.order_by("pk").values_list("pk", flat=True)), at)
    if not run.full:
        if "" in current().rules.reads:  # changes to these fields trigger no event
            run.changed += refit(list(leads.order_by("pk").values_list("pk", flat=True)), at)
        run.changed += decay(first, last, at)


def _unsure(run: ScoringRun, first: int, last: int) -> bool:
    """Return whether a stored sum may be wrong or missing, without joining a million leads and scores."""
    scores = Score.objects.filter(lead__gt=first, lead__lte=last)
    doubtful = ~Q(model=current().pk) | Q(partial=True) | (Q(scored_at__gt=run.at) if run.exact else Q())
    leads = Lead.objects.filter(pk__gt=first, pk__lte=last)
    return scores.filter(doubtful).exists() or leads.count() > scores.count()
