"""Migration runs: plan, commit batch by batch, resume."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role
from crm.kit.errors import NotAllowed, Refused
from crm.kit.scope import workspace_id
from crm.kit.sql import commit_without_waiting
from crm.kit.sqlite import courtesy
from crm.kit.translation import gettext as _
from crm.legacy_leads.access import has_legacy_leads
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.legacy_leads.moving.alone import alone
from crm.legacy_leads.moving.carry import carry_out
from crm.legacy_leads.moving.figures import AMOUNTS, COUNTS, Figures, of_run, reconcile
from crm.legacy_leads.moving.plan import OldLead, PlannedLead, Seen, look, plan
from crm.users.models import Workspace

# SQLite has one writer: a batch takes some 40 ms, then others have their turn (RELIABILITY R24).
BATCH = {"postgresql": 10_000, "sqlite": 40}
PLANNED = 5_000  # leads per batch without locks
ATTEMPTS = 3

Progress = Callable[[int, int], None]  # leads processed, leads in total
OnStep = Callable[[PlannedLead], None]


class Place(NamedTuple):
    """A legacy lead's position in the migration order."""

    pk: int
    created_at: datetime


P = TypeVar("P", Place, OldLead)


class _Changed(Exception):
    """A legacy lead changed between read and lock: read again."""


@dataclass(frozen=True)
class Order:
    """Migration options. `told` is called with every step, `progress` after every batch."""

    include_lost: bool = False
    batch_size: int = 0  # 0: the database's default
    progress: Progress = lambda done, total: None
    told: OnStep = lambda step: None

    @property
    def size(self) -> int:
        return self.batch_size or BATCH[connection.vendor]


def check_role(by: Actor) -> None:
    """Raise NotAllowed for non-admins (DESIGN: roles)."""
    if not by.is_at_least(Role.ADMIN):
        raise NotAllowed(_("Only admins can migrate legacy leads."))


def dry_run(order: Order, *, by: Actor) -> Figures:
    """Plan a commit step by step, writing nothing. Raises NotAllowed."""
    check_role(by)
    figures, total = Figures(), LegacyLead.objects.count()
    for steps in planned(order.include_lost):
        figures.add(steps)
        for step in steps:
            order.told(step)
        order.progress(figures.counts["leads"], total)
    return figures


def planned(include_lost: bool) -> Iterator[list[PlannedLead]]:
    seen = Seen()
    for batch in _batches(LegacyLead.objects.all(), PLANNED, look):
        yield (steps := plan(batch, seen, include_lost=include_lost, hold=False))
        for step in steps:
            if step.person:
                step.person.steps.clear()  # otherwise every lead would stay in memory
        seen.forget()


def commit(order: Order, *, by: Actor) -> tuple[Figures, MigrationRun | None]:
    """Migrate, or resume an interrupted migration (with its own options).

    Return the figures and the run; no run if there is nothing to do. Raises NotAllowed, and Refused if another process
    is running or the figures do not balance: the run then stays open.
    """
    check_role(by)
    with alone():
        run = _interrupted()
        if run is None and (idle := _idle(order.include_lost)):
            return idle, None
        run = run or begin(order, by)
        order = replace(order, include_lost=run.include_lost)
        # As in an import: old leads need no first contact and trigger no notifications.
        by = replace(by, channel=Channel.IMPORT, change=run.change)
        _Committing(order, run, by).all()
        reconcile(run)
        run.state, run.committed_at = MigrationRun.State.COMMITTED, clock.now()
        run.save(update_fields=["state", "committed_at"])
    return of_run(run), run


def _interrupted() -> MigrationRun | None:
    run = MigrationRun.objects.filter(state__in=MigrationRun.BUSY).first()
    if run and run.state == MigrationRun.State.UNDOING:
        raise Refused(_("An undo was interrupted. Run it again first."))
    return run


def _idle(include_lost: bool) -> Figures | None:
    """Return the figures of a run without changes; None otherwise. The first run always closes the legacy workspace."""
    figures = Figures()
    if has_legacy_leads() and not MigrationRun.objects.filter(state=MigrationRun.State.COMMITTED).exists():
        return None
    for steps in planned(include_lost):
        figures.add(steps)
        if figures.moves:
            return None
    return figures


@transaction.atomic
def begin(order: Order, by: Actor) -> MigrationRun:
    """Start the run, which makes /lead read-only."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id())
    return MigrationRun.objects.create(member_id=by.member_id, include_lost=order.include_lost, started_at=clock.now())


def _batches(rows: QuerySet[LegacyLead], size: int, read: Callable[[QuerySet], list[P]]) -> Iterator[list[P]]:
    """Yield the rows oldest first in lazily read batches."""
    rows, last = rows.order_by("created_at", "pk"), None
    while batch := read((rows.filter(_after(last)) if last else rows)[:size]):
        last = batch[-1]
        yield batch


def _places(rows: QuerySet[LegacyLead]) -> list[Place]:
    return [Place._make(row) for row in rows.values_list(*Place._fields)]


def _after(last: Place | OldLead) -> Q:
    later = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
    return Q(created_at__gte=last.created_at) & later  # the first term gives the index its range


@dataclass
class _Committing:
    order: Order
    run: MigrationRun
    by: Actor

    def all(self) -> None:
        """Process all remaining leads; a second pass finds those added meanwhile."""
        total = LegacyLead.objects.count()
        while True:
            before = self.run.leads
            for batch in _batches(LegacyLead.objects.exclude(run=self.run), self.order.size, _places):
                with courtesy.batch():
                    self._batch([lead.pk for lead in batch])
                self.order.progress(self.run.leads, total)
            if self.run.leads == before:
                return

    def _batch(self, ids: list[int]) -> None:
        for attempt in range(ATTEMPTS):
            try:
                return self._attempt(ids)
            except (IntegrityError, _Changed):
                # A concurrent change took an email or merged a contact between read and write.
                self.run.refresh_from_db()
                if attempt == ATTEMPTS - 1:
                    raise
        return None

    def _attempt(self, ids: list[int]) -> None:
        with transaction.atomic():
            commit_without_waiting()
            leads = look(LegacyLead.objects.filter(pk__any_of=ids).order_by("created_at", "pk"))
            # Contacts before legacy leads, as in merging: otherwise both could deadlock.
            steps = plan(leads, Seen(), include_lost=self.order.include_lost, hold=True)
            held = LegacyLead.objects.filter(pk__any_of=ids).order_by("pk").select_for_update(of=("self",))
            if dict(held.values_list("pk", "version")) != {lead.pk: lead.version for lead in leads}:
                raise _Changed
            carry_out(steps, self.run, self.by)
            figures = of_run(self.run)
            figures.add(steps)
            for name, value in figures.report().items():
                setattr(self.run, name, value)
            self.run.save(update_fields=[*COUNTS, *AMOUNTS])
