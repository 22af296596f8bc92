"""Create a team."""

from django.db import transaction

from audit.record import record
from crm.kit.actor import Actor
from crm.users.guards import check_free_name, clean_name
from crm.users.models import Team
from crm.users.roles import Right, require


@transaction.atomic
def create_team(name: str, *, by: Actor) -> Team:
    """Create an empty team. Raises Invalid for an empty or duplicate name (in any case)."""
    require(by, Right.TEAMS)
    name = clean_name(name)
    check_free_name(name)
    team = Team.objects.create(name=name)
    record("team.created", Team.objects.filter(pk=team.pk), by=by, snapshot=("name",))
    return team
