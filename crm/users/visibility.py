"""Which rows a member sees and may change: the one door to a workspace's records."""

from django.db.models import Q

from crm.kit.actor import Actor, Role
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet


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
