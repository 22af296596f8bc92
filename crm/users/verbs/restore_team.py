"""Restore an archived team."""

from django.db import transaction

from audit.record import update_and_record
from crm.kit.actor import Actor
from crm.users.models import Team
from crm.users.roles import Right, require


@transaction.atomic
def restore_team(team: Team, *, by: Actor) -> Team:
    """Offer the team again, empty: its members and records stay where they went. Idempotent."""
    require(by, Right.TEAMS)
    rows = Team.objects.filter(pk=team.pk)
    update_and_record("team.restored", rows, {"archived_at": None}, by=by)
    return rows.get()
