"""Who can be given leads: members who work here, are not away, and may change records."""

from dataclasses import dataclass

from django.db.models import QuerySet

from crm.kit.actor import Actor, Channel, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace_id
from crm.users.models import Membership


@dataclass(frozen=True)
class Worker:
    """A member who can be given leads, as who they would look at a contact; `in_pool`: also without a rule."""

    actor: Actor
    in_pool: bool

    @property
    def pk(self) -> int:
        return self.actor.member_id or 0


def working() -> dict[int, Worker]:
    """Everybody who can be given leads, by key in its order, as it is committed by now; one statement."""
    return {row[0]: _worker(*row) for row in run_cached(("working", workspace_id()), _working)}


def _working() -> QuerySet:
    rows = Membership.objects.active().exclude(role=Role.VIEWER).exclude(duty__is_away=True).order_by("pk")
    return rows.values_list("pk", "role", "team", "duty__in_pool")


def _worker(pk: int, role: str, team_id: int | None, chosen: bool | None) -> Worker:
    return Worker(Actor(workspace_id(), pk, Role(role), Channel.SYSTEM, team_id), in_pool(role, chosen))


def in_pool(role: str, chosen: bool | None) -> bool:
    """Whether somebody of that role is in the pool, where an admin has chosen so or (None) has not chosen."""
    return role == Role.REP if chosen is None else chosen
