"""Which rows a member sees and may change: the one door to a workspace's records."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import models
from django.db.models import Case, Q, Value, When

from crm.kit.actor import Actor, Role
from crm.kit.outcome import Outcome
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet

# SQLite takes 32,766 parameters in a statement; PostgreSQL plans an array of this size in a millisecond.
BATCH = 10_000


def visible(by: Actor) -> Q:
    """Rows without a team, of the actor's team, or the actor's own; managers and admins see all (DESIGN: roles)."""
    if by.is_at_least(Role.MANAGER):
        return Q()
    return Q(team__isnull=True) | Q(team=by.team_id) | Q(owner=by.member_id)


def editable(by: Actor) -> Q:
    """Reps change their own, their team's and unowned rows they see; viewers change nothing."""
    if by.is_at_least(Role.MANAGER):
        return Q()
    if not by.is_at_least(Role.REP):
        return Q(pk__in=[])
    mine = Q(owner=by.member_id) | Q(owner__isnull=True)
    if by.team_id:
        mine |= Q(team=by.team_id)
    return visible(by) & mine


def may_edit(record, by: Actor) -> bool:
    """`editable` for one record in memory."""
    if by.is_at_least(Role.MANAGER) or not by.is_at_least(Role.REP):
        return by.is_at_least(Role.MANAGER)
    teammate = by.team_id is not None and record.team_id == by.team_id
    owned = record.owner_id == by.member_id
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
        return self.filter(editable(by))


class RecordManager(WorkspaceManager.from_queryset(RecordQuerySet)):  # type: ignore[misc]
    """`objects` of contacts, companies and every other record with an owner."""


@dataclass
class Locked:
    """Rows that a verb holds until its transaction ends, and what it will answer about them."""

    model: type[models.Model]
    ids: list[int]
    outcome: Outcome

    def batches(self) -> Iterator[models.QuerySet]:
        """The rows not refused so far, as querysets of at most BATCH rows."""
        remaining = (pk for pk in self.ids if pk not in self.outcome.refused)
        while batch := list(islice(remaining, BATCH)):
            yield self.model.objects.filter(pk__in=batch)


def lock(rows: models.QuerySet, by: Actor, *, trashed: bool = False) -> Locked:
    """Lock those of `rows` that `by` sees, in the order of their ids so that two bulk actions cannot deadlock.

    Rows seen but not to be changed by `by` are refused, as are those (not) in the trash.
    """
    kind = rows.model._meta.verbose_name
    wrong_place = Q(deleted_at__isnull=trashed)
    why = Case(
        When(wrong_place, then=Value("trash")), When(editable(by), then=Value("")), default=Value("edit")
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
