"""Undo of a change of any size: at once where it is small, else as a run of many short transactions with progress.

A run is a row. It undoes the change contact by contact (each with its leads, opportunities and activities), then what
belongs to no contact. A transaction inverts some of them and notes in the row how far it has come, so that whoever
continues the run, whatever killed the one before, ends in the same records. What could not be undone because of other
records of the same change is tried again once those are gone.

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
from audit.undo.undo import check_undo, undo, undo_entries
from crm.events.reactions import mark_large_job
from crm.kit.actor import Actor, Channel, system
from crm.kit.background import after_commit
from crm.kit.sql import commit_without_waiting
from crm.kit.sqlite import courtesy
from crm.lists.models import UndoKept, UndoRun

AT_ONCE = {"sqlite": 100, "postgresql": 5_000}  # entries that one transaction inverts
BATCH = {"sqlite": 4, "postgresql": 1_000}  # contacts in a transaction; on SQLite for a start, see courtesy.Pace
GOAL = 0.02  # seconds of a batch on SQLite while people are about: an undo has no end that somebody waits for
SILENCE = timedelta(seconds=30)  # after which a run counts as killed: a batch takes a second

Progress = Callable[[UndoRun], None]


def start(change: UUID, *, by: Actor) -> Undone | UndoRun:
    """Undo a small change at once; for a large one start a run in the background, or give the one under way.

    Raises Refused and NotAllowed as audit.undo.undo.undo() does.
    """
    check_undo(change, by)
    if run := UndoRun.objects.filter(change=change, finished_at__isnull=True).first():
        return run
    if Entry.objects.filter(change=change)[: AT_ONCE[connection.vendor] + 1].count() <= AT_ONCE[connection.vendor]:
        return undo(change, by=by)
    run = begin(change, by=by)
    after_commit(partial(finish, run), "The undo of a large change")  # not a text
    return run


def begin(change: UUID, *, by: Actor) -> UndoRun:
    """The run that undoes `change`, which nobody has to start twice: the open one, or a new one."""
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
    """As many as _Groups has: a request that reads all the entries of an import keeps Python from others."""
    entries = Entry.objects.filter(change=change).order_by()
    others = entries.filter(person__isnull=True).values("entity", "entity_id").distinct()
    return entries.aggregate(people=Count("person", distinct=True))["people"] + others.count()


def finish(run: UndoRun, *, progress: Progress | None = None) -> UndoRun:
    """Undo all that the run has not come to. Whatever ends it early leaves whole contacts, and the row."""
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
    """Finish the runs of the workspace in scope whose process has died."""
    for run in UndoRun.objects.filter(finished_at__isnull=True, seen_at__lt=timezone.now() - SILENCE):
        finish(run)


def _actor(run: UndoRun) -> Actor:
    by = run.member.actor(Channel(run.channel)) if run.member else system(run.workspace_id, Channel(run.channel))
    return replace(by, change=run.own_change)


class _Groups:
    """The entries of a change by what is undone together, always in the same order: newest first, contacts first.

    The ids are read once: to sort a million of them for every batch takes hours.
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
    """One transaction of a run."""

    run: UndoRun
    groups: _Groups
    by: Actor

    @transaction.atomic
    def take(self, size: int) -> bool:
        """Undo the next groups; False when there is nothing more to do."""
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
        """Begin another pass if the last one undid something that may have been in the way of what was kept."""
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
    """Why records were kept, and how many for each reason."""
    yield from run.kept.order_by().values_list("why").annotate(records=Count("pk")).order_by("-records", "why")
