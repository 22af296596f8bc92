"""Visibility and edit rights of records, enforced by their managers.

Why: docs/decisions/0052-links-show-names-only.md
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain, islice
from operator import or_
from typing import Any, ClassVar, Protocol

from django.db import models
from django.db.models import Case, Q, Value, When

from crm.kit.actor import Actor, Role
from crm.kit.compiled_queries import run_cached_over
from crm.kit.outcome import Outcome
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext as _

# SQLite allows 32,766 parameters per statement; PostgreSQL plans an array of this size in a millisecond.
BATCH = 10_000


def branches(by: Actor, path: str = "") -> list[Q]:
    """Return the cases in which the actor sees a row: no team, their team, or their own (DESIGN: roles).

    Separate, because each has its own index. `path` ("contact__") applies them to a related record.
    """
    if by.is_at_least(Role.MANAGER):
        return [Q()]
    return _cases(path, {"team__isnull": True}, {"team": by.team_id}, {"owner": by.member_id})


def visible(by: Actor, path: str = "") -> Q:
    """Return any of the branches; managers and admins see all."""
    return reduce(or_, branches(by, path))


def editable(by: Actor, path: str = "") -> Q:
    """Return the edit rule: reps change their own, their team's and visible unowned rows; viewers none."""
    if by.is_at_least(Role.MANAGER):
        return Q()
    if not by.is_at_least(Role.REP):
        return Q(pk__in=[])
    unowned = {"owner__isnull": True, "team__isnull": True}
    return reduce(or_, _cases(path, {"owner": by.member_id}, {"team": by.team_id}, unowned))


def _cases(path: str, *cases: dict) -> list[Q]:
    """Return the cases as conditions, without comparisons to None (a member without a team)."""
    return [Q(**{path + key: value for key, value in case.items()}) for case in cases if None not in case.values()]


def may_see(record, by: Actor) -> bool:
    owned = record.owner_id is not None and record.owner_id == by.member_id
    return by.is_at_least(Role.MANAGER) or owned or record.team_id in (None, by.team_id)


def may_edit(record, by: Actor) -> bool:
    if by.is_at_least(Role.MANAGER) or not by.is_at_least(Role.REP):
        return by.is_at_least(Role.MANAGER)
    owned = record.owner_id is not None and record.owner_id == by.member_id
    teammate = record.team_id is not None and record.team_id == by.team_id
    return owned or teammate or (record.owner_id is None and record.team_id is None)


class RecordQuerySet(WorkspaceQuerySet):
    """Records with an owner, a team and a trash."""

    # Condition of rows that can no longer change, and its message.
    FINAL: ClassVar[tuple[Q, str] | None] = None

    def live(self):
        return self.filter(deleted_at__isnull=True)

    def trashed(self):
        return self.filter(deleted_at__isnull=False)

    def visible_to(self, by: Actor):
        """Filter to rows the actor may read, trash included."""
        return self.filter(reduce(or_, self.branches(by)))

    def editable_by(self, by: Actor):
        """Filter to rows the actor may change, trash included."""
        return self.filter(self.editable(by))

    def branches(self, by: Actor) -> list[Q]:
        """Return the cases in which the actor sees a row, each with its own index."""
        return branches(by)

    def editable(self, by: Actor) -> Q:
        return editable(by)


class RecordManager(WorkspaceManager.from_queryset(RecordQuerySet)):  # type: ignore[misc]
    """`objects` of all records with an owner."""


class Guarded(Protocol):
    """A model with restricted visibility and editing."""

    objects: ClassVar[RecordManager]


@dataclass
class Locked:
    """Rows that a verb has locked until its transaction ends, and their outcome."""

    model: type[Guarded]
    ids: list[int]
    outcome: Outcome
    brought: dict[str, dict[int, Any]] = field(default_factory=dict)

    def batches(self) -> Iterator[models.QuerySet]:
        """Yield the rows not refused, as querysets of at most BATCH rows in id order."""
        for batch in self.batches_of_ids():
            yield self.model.objects.filter(pk__in=batch).order_by("pk")

    def batches_of_ids(self) -> Iterator[list[int]]:
        remaining = (pk for pk in self.ids if pk not in self.outcome.refused)
        while batch := list(islice(remaining, BATCH)):
            yield batch

    def read(self, column: str) -> dict[int, Any]:
        """Return id → the column's value for rows not refused; queried unless lock() brought it."""
        if column not in self.brought:
            pairs = (rows.values_list("pk", column) for rows in self.batches())
            self.brought[column] = dict(chain.from_iterable(pairs))
        return {pk: self.brought[column][pk] for pk in self.ids if pk not in self.outcome.refused}


def lock(rows: RecordQuerySet, by: Actor, *, trashed: bool = False, final: bool = False, bring: str = "") -> Locked:
    """Lock those of `rows` visible to `by`, in id order, so that two bulk actions cannot deadlock.

    Refused: rows that `by` may not change, rows (not) in the trash, and final ones unless `final`. `bring` names a
    column for Locked.read().
    """
    sentences = {
        "edit": _("View only – this record belongs to someone else."),
        "final": str(rows.FINAL[1]) if rows.FINAL else "",
        "trash": _("This record isn’t in the trash.")
        if trashed
        else _("This record is in the trash. Restore it first."),
    }

    def build(asked: RecordQuerySet, member: int | None, team: int | None) -> models.QuerySet:
        return _locking(asked, replace(by, member_id=member, team_id=team), trashed, final, bring)

    locked, key = Locked(rows.model, [], Outcome(by.change)), ("lock", by.role, trashed, final, bring)
    found = run_cached_over(rows, key, build, plan_once=True, member=by.member_id, team=by.team_id)
    for pk, reason, *rest in found:
        locked.ids.append(pk)
        if reason:
            locked.outcome.refuse([pk], sentences[reason])
        elif rest:
            locked.brought.setdefault(bring, {})[pk] = rest[0]
    return locked


def _locking(rows: RecordQuerySet, by: Actor, trashed: bool, final: bool, bring: str) -> models.QuerySet:
    over = [When(rows.FINAL[0], then=Value("final"))] if rows.FINAL and not final else []
    why = Case(
        When(Q(deleted_at__isnull=trashed), then=Value("trash")),
        *over,
        When(rows.editable(by) or Q(pk__isnull=False), then=Value("")),
        default=Value("edit"),
    )
    found = rows.visible_to(by).order_by("pk").select_for_update(of=("self",))
    return found.values_list("pk", why, *([bring] if bring else []))
