"""Rights of roles besides records: one table for verbs, pages, navigation and tests."""

from enum import StrEnum

from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed
from crm.kit.translation import gettext_lazy as _


class Right(StrEnum):
    """A right that not every role has."""

    PEOPLE = "people"
    TEAMS = "teams"
    WORKSPACE = "workspace"
    ADMIN_SITE = "admin_site"
    CAMPAIGNS = "campaigns"


LOWEST_ROLE = {
    Right.PEOPLE: Role.ADMIN,
    Right.TEAMS: Role.ADMIN,
    Right.WORKSPACE: Role.ADMIN,
    Right.ADMIN_SITE: Role.ADMIN,
    Right.CAMPAIGNS: Role.MANAGER,
}
REFUSALS = {
    Right.PEOPLE: _("Only admins can manage members."),
    Right.TEAMS: _("Only admins can manage teams."),
    Right.WORKSPACE: _("Only admins can change workspace settings."),
    Right.ADMIN_SITE: _("Only admins can open the admin console."),
    Right.CAMPAIGNS: _("Only managers and admins can create and send campaigns."),
}


def may(by: Actor, right: Right) -> bool:
    return by.is_at_least(LOWEST_ROLE[right])


def require(by: Actor, right: Right) -> None:
    """Check that the actor has the right. Raises NotAllowed with a message."""
    if not may(by, right):
        raise NotAllowed(REFUSALS[right])
