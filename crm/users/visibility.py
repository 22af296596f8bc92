"""Which rows a member sees and may change: the one door to a workspace's records.

Why: docs/decisions/0052-links-show-names-only.md
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain, islice
from operator import or_
from typing import Any, ClassVar, Protocol

from django.db import models
from django.db.models import Case, Q, Value, When

from crm.kit.actor import Actor, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.outcome import Outcome
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet, workspace_id
from crm.kit.sql import RawCondition, simple_where
from crm.kit.translation import gettext as _

# SQLite takes 32,766 parameters in a statement; PostgreSQL plans an array of this size in a millisecond.
BATCH = 10_000


def branches(by: Actor, path: str = "") -> list[Q]:
    """The cases in which the actor sees a row: one without a team, of their team, or their own (DESIGN: roles).

    Apart, each is served by an index of its own. `path` ("contact__") asks it of a related record.
    """
    if by.is_at_least(Role.MANAGER):
        return [Q()]
    return _cases(path, {"team__isnull": True}, {"team": by.team_id}, {"owner": by.member_id})


def visible(by: Actor, path: str = "") -> Q:
    """Any of the branches; managers and admins see all."""
    return reduce(or_, branches(by, path))


def editable(by: Actor, path: str = "") -> Q:
    """Reps change their own, their team's and unowned rows they see; viewers change nothing."""
    if by.is_at_least(Role.MANAGER):
        return Q()
    if not by.is_at_least(Role.REP):
        return Q(pk__in=[])
    unowned = {"owner__isnull": True, "team__isnull": True}
    return reduce(or_, _cases(path, {"owner": by.member_id}, {"team": by.team_id}, unowned))


def _cases(path: str, *cases: dict) -> list[Q]:
    """The cases as conditions, less those that compare with None (a member without a team)."""
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

    # Which rows nobody changes any more, and the sentence that says so.
    FINAL: ClassVar[tuple[Q, str] | None] = None

    def live(self):
        return self.filter(deleted_at__isnull=True)

    def trashed(self):
        return self.filter(deleted_at__isnull=False)

    def visible_to(self, by: Actor):
        """What the actor may read, trash included."""
        return self.filter(reduce(or_, branches(by)))

    def editable_by(self, by: Actor):
        """What the actor may change, trash included."""
        return self.filter(self.editable(by))

    def editable(self, by: Actor) -> Q:
        return editable(by)


class RecordManager(WorkspaceManager.from_queryset(RecordQuerySet)):  # type: ignore[misc]
    """`objects` of contacts, companies and every other record with an owner."""


class Guarded(Protocol):
    """A model whose rows are not everybody's to see and change."""

    objects: ClassVar[RecordManager]


@dataclass
class Locked:
    """Rows that a verb holds until its transaction ends, and what it will answer about them."""

    model: type[Guarded]
    ids: list[int]
    outcome: Outcome
    brought: dict[str, dict[int, Any]] = field(default_factory=dict)

    def batches(self) -> Iterator[models.QuerySet]:
        """The rows not refused so far, as querysets of at most BATCH rows in the order of their ids."""
        for batch in self.batches_of_ids():
            yield self.model.objects.filter(pk__in=batch).order_by("pk")

    def batches_of_ids(self) -> Iterator[list[int]]:
        remaining = (pk for pk in self.ids if pk not in self.outcome.refused)
        while batch := list(islice(remaining, BATCH)):
            yield batch

    def read(self, column: str) -> dict[int, Any]:
        """id → the column's value, of the rows not refused so far; asked for, unless lock() was to bring it along."""
        if column not in self.brought:
            pairs = (rows.values_list("pk", column) for rows in self.batches())
            self.brought[column] = dict(chain.from_iterable(pairs))
        return {pk: self.brought[column][pk] for pk in self.ids if pk not in self.outcome.refused}


def lock(rows: RecordQuerySet, by: Actor, *, trashed: bool = False, final: bool = False, bring: str = "") -> Locked:
    """Lock those of `rows` that `by` sees, in the order of their ids so that two bulk actions cannot deadlock.

    Rows seen but not to be changed by `by` are refused, as are those (not) in the trash, and those that nothing
    changes any more unless the verb takes `final` ones. `bring` names a column for Locked.read().
    """
    sentences = {
        "edit": _("View only – this record belongs to someone else."),
        "final": str(rows.FINAL[1]) if rows.FINAL else "",
        "trash": _("This record isn’t in the trash.")
        if trashed
        else _("This record is in the trash. Restore it first."),
    }
    locked = Locked(rows.model, [], Outcome(by.change))
    for pk, reason, *rest in _found(rows, by, trashed, final, bring):
        locked.ids.append(pk)
        if reason:
            locked.outcome.refuse([pk], sentences[reason])
        elif rest:
            locked.brought.setdefault(bring, {})[pk] = rest[0]
    return locked


def _found(rows: RecordQuerySet, by: Actor, trashed: bool, final: bool, bring: str) -> Iterable[tuple]:
    """(id, why it is refused or '', the column to bring) of each row that `by` sees, in SQL compiled once if it can."""
    where, model = simple_where(rows), rows.model
    if where is None:
        return _locking(rows, by, trashed, final, bring)

    def build(member: int | None, team: int | None, **given: Any) -> models.QuerySet:
        asked = model.objects.filter(RawCondition(where.sql, given.values()))
        return _locking(asked, replace(by, member_id=member, team_id=team), trashed, final, bring)

    given = {f"given_{index}": value for index, value in enumerate(where.params)}
    key = ("lock", workspace_id(), model, by.role, trashed, final, bring, where.sql)
    by_key = all(type(value) is int for value in where.params)  # the server would not know the type of others
    return run_cached(key, build, plan_once=by_key, member=by.member_id, team=by.team_id, **given)


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
