"""Rename a team."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.users.guards import check_free_name, clean_name
from crm.users.models import Team
from crm.users.roles import Right, require


@transaction.atomic
def rename_team(team: Team, name: str, *, by: Actor) -> Team:
    """Rename the team. Raises Invalid for an empty or duplicate name (in any case)."""
    require(by, Right.TEAMS)
    name = clean_name(name)
    check_free_name(name, but=team.pk)
    rows = Team.objects.filter(pk=team.pk)
    update_and_record("team.renamed", rows, {"name": name}, by=by)
    return rows.get()
