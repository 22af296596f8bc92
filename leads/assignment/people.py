"""Members who can get leads: active, not away, and with edit rights."""

from dataclasses import dataclass

from django.db.models import QuerySet

from crm.kit.actor import Actor, Channel, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace_id
from crm.users.models import Membership


@dataclass(frozen=True)
class Worker:
    """A member who can get leads, as a viewer of contacts; `in_pool`: also without a rule."""

    actor: Actor
    in_pool: bool

    @property
    def pk(self) -> int:
        return self.actor.member_id or 0


def working() -> dict[int, Worker]:
    """Return all members who can get leads, by key in order, as committed now; one statement."""
    return {row[0]: _worker(*row) for row in run_cached(("working", workspace_id()), _working)}


def _working() -> QuerySet:
    rows = Membership.objects.active().exclude(role=Role.VIEWER).exclude(duty__is_away=True).order_by("pk")
    return rows.values_list("pk", "role", "team", "duty__in_pool")


def _worker(pk: int, role: str, team_id: int | None, chosen: bool | None) -> Worker:
    return Worker(Actor(workspace_id(), pk, Role(role), Channel.SYSTEM, team_id), in_pool(role, chosen))


def in_pool(role: str, chosen: bool | None) -> bool:
    """Return whether a member is in the pool: the admin's choice, or (None) the role's default."""
    return role == Role.REP if chosen is None else chosen
