"""Undoing the archiving of a team: the team and its members come back before its records."""

from uuid import UUID

from audit.models import Entry
from audit.record import update_and_record
from audit.undo.hooks import on_settings
from crm.kit.actor import Actor
from crm.users.models import Membership, Team
from crm.users.roles import Right, require


@on_settings
def bring_team_back(change: UUID, by: Actor) -> int:
    """Listener of audit.undo: restore the team that `change` archived, and its members who weren't moved since."""
    archived = Entry.objects.filter(change=change, event="team.archived").first()
    if archived is None:
        return 0
    require(by, Right.TEAMS)
    rows = Team.objects.filter(pk=archived.entity_id)
    count = update_and_record("team.restored", rows, {"archived_at": None}, by=by)
    return count and count + _bring_members_back(change, rows.get(), by)


def _bring_members_back(change: UUID, team: Team, by: Actor) -> int:
    moved = Entry.objects.filter(change=change, event="member.team_changed", old_values__team=team.pk)
    went_to = {entry.entity_id: (entry.new_values or {}).get("team") for entry in moved}  # the same for all
    still_there = [pk for pk, to in Membership.objects.values_list("pk", "team") if went_to.get(pk, -1) == to]
    return update_and_record(
        "member.team_changed", Membership.objects.filter(pk__in=still_there), {"team": team}, by=by
    )
