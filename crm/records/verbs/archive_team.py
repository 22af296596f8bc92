"""Archive a team."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import InUse, Invalid
from crm.kit.translation import gettext as _
from crm.records.registry import RECORD_TYPES
from crm.records.writing import apply
from crm.users.models import Membership, Team
from crm.users.roles import Right, require
from crm.users.team_uses import uses_of_team


@transaction.atomic
def archive_team(team: Team, *, to: Team | None, members_to: Team | None = None, by: Actor) -> int:
    """Archive a team. Its records, those in the trash too, go to the team `to`, and its members to `members_to`.

    Records without a team are visible to everyone. Undoing the change brings all of it back. Return the number of
    records. Raises NotAllowed; Invalid if one is no other team in use; InUse while settings refer to the team.
    """
    require(by, Right.TEAMS)
    asked = {"to": to, "members_to": members_to}
    # The team's own lock waits for records that are just put into it, by their foreign key, and stops others.
    wanted = [team.pk, *(other.pk for other in asked.values() if other)]
    teams = Team.objects.live().filter(pk__in=wanted).order_by("pk").select_for_update().in_bulk()
    teams.pop(team.pk, None)
    if wrong := {key: _("Choose another team.") for key, other in asked.items() if other and other.pk not in teams}:
        raise Invalid(wrong)
    if uses := uses_of_team(team):
        raise InUse(_("Can’t archive the team “{team}”.").format(team=team), uses)
    rows = Team.objects.filter(pk=team.pk, archived_at__isnull=True)
    update_and_record("team.archived", rows, {"archived_at": clock.now()}, by=by)
    update_and_record("member.team_changed", Membership.objects.filter(team=team), {"team": members_to}, by=by)
    return sum(_move(kind.model, kind.entity.name, team, to, by) for kind in RECORD_TYPES.values())


def _move(model, entity: str, team: Team, to: Team | None, by: Actor) -> int:
    rows = model.objects.filter(team=team).order_by("pk")
    ids = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
    if ids:
        apply(f"{entity}.assigned", model.objects.filter(pk__any_of=ids), {"team": to}, by=by)
    return len(ids)
