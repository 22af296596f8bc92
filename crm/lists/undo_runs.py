"""Undo of a change of any size: immediate if small, otherwise a run of short transactions with progress.

A run is a row. It undoes the change contact by contact (each with its leads, opportunities and activities), then the
records without a contact. Each transaction reverts some of them and stores the progress in the row, so that any process
can continue an interrupted run with the same result. Records kept because of other records of the same change are
retried once those are gone.

Why: docs/decisions/0047-large-undo-is-a-run.md
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import chain
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.utils import timezone

from audit.models import Entry
from audit.undo.hooks import PASSING, Undone
from audit.undo.undo import check_undo, undo, undo_entries, undo_in_one_piece, undo_settings
from crm.events.reactions import mark_large_job
from crm.kit.actor import Actor, Channel, system
from crm.kit.background import after_commit
from crm.kit.sql import commit_without_waiting
from crm.kit.sqlite import courtesy
from crm.lists.models import UndoKept, UndoRun

AT_ONCE = {"sqlite": 100, "postgresql": 5_000}  # entries reverted in one transaction
# Contacts per transaction, which locks them meanwhile; on SQLite the initial size, see courtesy.Pace.
BATCH = {"sqlite": 4, "postgresql": 400}
GOAL = 0.02  # seconds per batch on SQLite while users are active: no user waits for an undo
SILENCE = timedelta(seconds=30)  # after which a run counts as killed: a batch takes a second

Progress = Callable[[UndoRun], None]


def start(change: UUID, *, by: Actor) -> Undone | UndoRun:
    """Undo a small change immediately; for a large one start a background run, or return the one in progress.

    Raises Refused and NotAllowed as audit.undo.undo.undo() does.
    """
    check_undo(change, by)
    if whole := undo_in_one_piece(change, by):
        return whole
    if run := UndoRun.objects.filter(change=change, finished_at__isnull=True).first():
        return run
    if Entry.objects.filter(change=change)[: AT_ONCE[connection.vendor] + 1].count() <= AT_ONCE[connection.vendor]:
        return undo(change, by=by)
    with transaction.atomic():
        undo_settings(change, by)
        run = begin(change, by=by)
    after_commit(partial(finish, run), "The undo of a large change")  # not a text
    return run


def begin(change: UUID, *, by: Actor) -> UndoRun:
    """Return the open run that undoes `change`, or create one: runs never start twice."""
    try:
        with transaction.atomic():
            return UndoRun.objects.create(
                change=change,
                own_change=by.change,
                member_id=by.member_id,
                channel=by.channel,
                total=_count_groups(change),
                seen_at=timezone.now(),
            )
    except IntegrityError:
        return UndoRun.objects.get(change=change, finished_at__isnull=True)


def _count_groups(change: UUID) -> int:
    """Count the groups in SQL: reading all entries of an import in a request would block other threads."""
    entries = Entry.objects.filter(change=change).order_by()
    others = entries.filter(person__isnull=True).values("entity", "entity_id").distinct()
    return entries.aggregate(people=Count("person", distinct=True))["people"] + others.count()


def finish(run: UndoRun, *, progress: Progress | None = None) -> UndoRun:
    """Undo the rest of the run. An early end leaves whole contacts, and the row to continue from."""
    groups, by, pace = _Groups(run.change), _actor(run), courtesy.Pace(BATCH[connection.vendor], least=4, goal=GOAL)
    more = True
    while more:
        with pace.batch(), mark_large_job():
            more = _Step(run, groups, by).take(pace.size)
        run.refresh_from_db()
        if progress:
            progress(run)
    return run


def continue_interrupted() -> None:
    """Finish the interrupted runs of the workspace in scope."""
    for run in UndoRun.objects.filter(finished_at__isnull=True, seen_at__lt=timezone.now() - SILENCE):
        finish(run)


def _actor(run: UndoRun) -> Actor:
    by = run.member.actor(Channel(run.channel)) if run.member else system(run.workspace_id, Channel(run.channel))
    return replace(by, change=run.own_change)


class _Groups:
    """The entries of a change, grouped by contact, in a stable order: contacts first, newest first.

    The ids are read once: sorting a million of them per batch would take hours.
    """

    def __init__(self, change: UUID):
        contacts: dict[int, array] = {}
        others: dict[tuple[str, int], array] = {}
        found = Entry.objects.filter(change=change).order_by("-id").values_list("id", "person", "entity", "entity_id")
        for pk, person, entity, entity_id in found.iterator():
            ids = (
                contacts.setdefault(person, array("q"))
                if person
                else others.setdefault((entity, entity_id), array("q"))
            )
            ids.append(pk)
        self._all: list[array] = [*contacts.values(), *others.values()]
        self._contacts, self._others = contacts, others

    def entries(self, first: int, size: int) -> list[Entry]:
        return _read(self._all[first : first + size])

    def entries_of(self, kept: Sequence[UndoKept]) -> list[Entry]:
        contacts = [self._contacts[person] for person in {each.person for each in kept} if person]
        others = [self._others[each.entity, each.record_id] for each in kept if not each.person]
        return _read([*contacts, *others])


def _read(groups: Sequence[array]) -> list[Entry]:
    return list(Entry.objects.filter(id__any_of=list(chain.from_iterable(groups))).order_by("-id"))


@dataclass
class _Step:
    run: UndoRun
    groups: _Groups
    by: Actor

    @transaction.atomic
    def take(self, size: int) -> bool:
        """Undo the next groups; return False when none are left."""
        commit_without_waiting()
        run = self.run = UndoRun.objects.select_for_update(of=("self",)).get(pk=self.run.pk)  # others may continue it
        if run.finished_at:
            return False
        entries = self._next(size)
        if not entries and not self._again():
            run.finished_at = timezone.now()
        else:
            self._note(entries, undo_entries(entries, by=self.by))
        run.seen_at = timezone.now()
        run.save(update_fields=["done", "reverted", "pass_number", "in_pass", "seen_at", "finished_at"])
        return not run.finished_at

    def _next(self, size: int) -> list[Entry]:
        run = self.run
        if run.done < run.total:
            entries = self.groups.entries(run.done, size)
            run.done = min(run.done + size, run.total)
            return entries
        waiting = run.kept.filter(pass_number__lt=run.pass_number, why__in=PASSING).order_by("pk")
        batch = list(waiting[:size])
        run.kept.filter(person__in={each.person for each in batch if each.person}).delete()
        run.kept.filter(pk__in=[each.pk for each in batch if not each.person]).delete()
        return self.groups.entries_of(batch)

    def _again(self) -> bool:
        """Start another pass if the last one reverted records that may have blocked the kept ones."""
        run = self.run
        if not run.in_pass or not run.kept.filter(why__in=PASSING).exists():
            return False
        run.pass_number, run.in_pass = run.pass_number + 1, 0
        return True

    def _note(self, entries: Sequence[Entry], undone: Undone) -> None:
        self.run.reverted += undone.reverted
        self.run.in_pass += undone.reverted
        person = {entry.record: entry.person for entry in entries}
        rows = (
            UndoKept(
                run=self.run, entity=e, record_id=pk, person=person[e, pk], why=why, pass_number=self.run.pass_number
            )
            for e, pk, why in dict.fromkeys(undone.kept)
        )
        UndoKept.objects.bulk_create(rows)


def summary(run: UndoRun) -> Iterator[tuple[str, int]]:
    """Yield each reason for kept records with their number."""
    yield from run.kept.order_by().values_list("why").annotate(records=Count("pk")).order_by("-records", "why")
