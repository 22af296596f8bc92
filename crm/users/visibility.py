"""Which rows a member sees and may change: the one door to a workspace's records."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_
from typing import ClassVar, Protocol

from django.db import models
from django.db.models import Case, Q, Value, When

from crm.kit.actor import Actor, Role
from crm.kit.outcome import Outcome
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet

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
    """`visible` for one record in memory."""
    owned = record.owner_id is not None and record.owner_id == by.member_id
    return by.is_at_least(Role.MANAGER) or owned or record.team_id in (None, by.team_id)


def may_edit(record, by: Actor) -> bool:
    """`editable` for one record in memory."""
    if by.is_at_least(Role.MANAGER) or not by.is_at_least(Role.REP):
        return by.is_at_least(Role.MANAGER)
    owned = record.owner_id is not None and record.owner_id == by.member_id
    teammate = record.team_id is not None and record.team_id == by.team_id
    return owned or teammate or (record.owner_id is None and record.team_id is None)


class RecordQuerySet(WorkspaceQuerySet):
    """Records with an owner, a team and a trash."""

    def live(self):
        """Not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def trashed(self):
        """In the trash, where restore finds them."""
        return self.filter(deleted_at__isnull=False)

    def visible_to(self, by: Actor):
        """What the actor may read, trash included."""
        return self.filter(visible(by))

    def editable_by(self, by: Actor):
        """What the actor may change, trash included."""
        return self.filter(self.editable(by))

    def editable(self, by: Actor) -> Q:
        """The rule of editable_by, for use in a CASE."""
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

    def batches(self) -> Iterator[models.QuerySet]:
        """The rows not refused so far, as querysets of at most BATCH rows in the order of their ids."""
        remaining = (pk for pk in self.ids if pk not in self.outcome.refused)
        while batch := list(islice(remaining, BATCH)):
            yield self.model.objects.filter(pk__in=batch).order_by("pk")


def lock(rows: RecordQuerySet, by: Actor, *, trashed: bool = False) -> Locked:
    """Lock those of `rows` that `by` sees, in the order of their ids so that two bulk actions cannot deadlock.

    Rows seen but not to be changed by `by` are refused, as are those (not) in the trash.
    """
    kind = rows.model._meta.verbose_name
    wrong_place = Q(deleted_at__isnull=trashed)
    why = Case(
        When(wrong_place, then=Value("trash")),
        When(rows.editable(by) or Q(pk__isnull=False), then=Value("")),
        default=Value("edit"),
    )
    found = rows.visible_to(by).order_by("pk").select_for_update(of=("self",)).values_list("pk", why)
    sentences = {
        "edit": f"You can see this {kind} but not change it: it belongs to somebody else.",
        "trash": f"This {kind} is not in the trash." if trashed else f"This {kind} is in the trash: restore it first.",
    }
    locked = Locked(rows.model, [], Outcome(by.change))
    for pk, reason in found:
        locked.ids.append(pk)
        if reason:
            locked.outcome.refuse([pk], sentences[reason])
    return locked
