"""Plan a migration, commit it batch by batch, and go on with one that was interrupted."""

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

# On SQLite one writes at a time: so many leads take some 40 ms, then others have their turn (RELIABILITY R24).
BATCH = {"postgresql": 10_000, "sqlite": 40}
PLANNED = 5_000  # leads at a time, where nothing is held
ATTEMPTS = 3

Progress = Callable[[int, int], None]  # leads looked at, leads in all
OnStep = Callable[[PlannedLead], None]


class Place(NamedTuple):
    """Where an old lead stands in the order in which they are moved."""

    pk: int
    created_at: datetime


P = TypeVar("P", Place, OldLead)


class _Changed(Exception):
    """An old lead was changed between our look and our lock: look again."""


@dataclass(frozen=True)
class Order:
    """What was asked for. `told` is called with every step, `progress` after every batch."""

    include_lost: bool = False
    batch_size: int = 0  # 0: what suits the database
    progress: Progress = lambda done, total: None
    told: OnStep = lambda step: None

    @property
    def size(self) -> int:
        return self.batch_size or BATCH[connection.vendor]


def check_role(by: Actor) -> None:
    """Raise NotAllowed for anybody but an admin (DESIGN: roles)."""
    if not by.is_at_least(Role.ADMIN):
        raise NotAllowed(_("Only admins can migrate legacy leads."))


def dry_run(order: Order, *, by: Actor) -> Figures:
    """What a commit would come to, step by step; nothing is written. Raises NotAllowed."""
    check_role(by)
    figures, total = Figures(), LegacyLead.objects.count()
    for steps in planned(order.include_lost):
        figures.add(steps)
        for step in steps:
            order.told(step)
        order.progress(figures.counts["leads"], total)
    return figures


def planned(include_lost: bool) -> Iterator[list[PlannedLead]]:
    """Every lead's step, a batch at a time."""
    seen = Seen()
    for batch in _batches(LegacyLead.objects.all(), PLANNED, look):
        yield (steps := plan(batch, seen, include_lost=include_lost, hold=False))
        for step in steps:
            if step.person:
                step.person.steps.clear()  # else every lead would stay in memory
        seen.forget()


def commit(order: Order, *, by: Actor) -> tuple[Figures, MigrationRun | None]:
    """Migrate, or go on with the migration that was interrupted (with what that one was told to include).

    Gives the figures, and the run; no run where nothing is left to do, which writes nothing. Raises NotAllowed, Refused
    when another process is at work, or when the figures do not add up: then the run stays open.
    """
    check_role(by)
    with alone():
        run = _interrupted()
        if run is None and (idle := _idle(order.include_lost)):
            return idle, None
        run = run or begin(order, by)
        order = replace(order, include_lost=run.include_lost)
        # As an import: what is old news owes nobody a first contact, and tells nobody.
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
    """The figures of a run that would change nothing; None for one that would.

    The first closes the old workspace, though every lead be left.
    """
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
    """Open the maintenance window: from here on /lead is read-only."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id())
    return MigrationRun.objects.create(member_id=by.member_id, include_lost=order.include_lost, started_at=clock.now())


def _batches(rows: QuerySet[LegacyLead], size: int, read: Callable[[QuerySet], list[P]]) -> Iterator[list[P]]:
    """The rows oldest first, cut into batches; a batch is read when it is asked for."""
    rows, last = rows.order_by("created_at", "pk"), None
    while batch := read((rows.filter(_after(last)) if last else rows)[:size]):
        last = batch[-1]
        yield batch


def _places(rows: QuerySet[LegacyLead]) -> list[Place]:
    return [Place._make(row) for row in rows.values_list(*Place._fields)]


def _after(last: Place | OldLead) -> Q:
    later = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
    return Q(created_at__gte=last.created_at) & later  # the first part gives the index its range


@dataclass
class _Committing:
    """A run under way."""

    order: Order
    run: MigrationRun
    by: Actor

    def all(self) -> None:
        """Carry every lead out that the run has not come to; a second look finds those that were added meanwhile."""
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
                # Somebody took an e-mail, or merged a contact, between our look and our write.
                self.run.refresh_from_db()
                if attempt == ATTEMPTS - 1:
                    raise
        return None

    def _attempt(self, ids: list[int]) -> None:
        with transaction.atomic():
            commit_without_waiting()
            leads = look(LegacyLead.objects.filter(pk__any_of=ids).order_by("created_at", "pk"))
            # Contacts before old leads, as merging does: else the two could wait for each other.
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
