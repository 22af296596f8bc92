"""What each role may do besides working on records: one table for verbs, pages, navigation and tests."""

from enum import StrEnum

from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed


class Right(StrEnum):
    """Something that not everybody may do; the value completes the sentence "Only admins may …"."""

    PEOPLE = "manage people"
    TEAMS = "manage teams"
    WORKSPACE = "change the workspace"
    ADMIN_SITE = "open the admin pages"
    CAMPAIGNS = "make and send campaigns"


LOWEST_ROLE = {
    Right.PEOPLE: Role.ADMIN,
    Right.TEAMS: Role.ADMIN,
    Right.WORKSPACE: Role.ADMIN,
    Right.ADMIN_SITE: Role.ADMIN,
    Right.CAMPAIGNS: Role.MANAGER,
}


def may(by: Actor, right: Right) -> bool:
    return by.is_at_least(LOWEST_ROLE[right])


def require(by: Actor, right: Right) -> None:
    """Let the actor pass, or raise NotAllowed with a sentence."""
    if not may(by, right):
        raise NotAllowed(f"Only {LOWEST_ROLE[right]}s may {right}.")
