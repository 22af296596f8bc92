"""Move a member to another team."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.models import Membership, Team
from crm.users.roles import Right, require


@transaction.atomic
def change_team(member: Membership, team: Team | None, *, by: Actor) -> Membership:
    """Set the member's team, or none; its records are visible from their next request on.

    Raises Refused for an archived team.
    """
    require(by, Right.PEOPLE)
    # Locked, so that it isn't archived meanwhile.
    if team and not Team.objects.live().filter(pk=team.pk).select_for_update(no_key=True):
        raise Refused(_("The team “{team}” is archived.").format(team=team))
    rows = Membership.objects.filter(pk=member.pk)
    update_and_record("member.team_changed", rows, {"team": team}, by=by)
    return rows.get()
