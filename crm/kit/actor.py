"""Who does something, and through which channel. Every verb takes one as `by`."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from crm.kit.translation import gettext_lazy as _


class Role(StrEnum):
    """What a member may do in a workspace (DESIGN: roles); each includes the one before."""

    VIEWER = "viewer"
    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        """What members read."""
        return ROLE_LABELS[self]


ROLE_LABELS = {Role.VIEWER: _("Viewer"), Role.REP: _("Rep"), Role.MANAGER: _("Manager"), Role.ADMIN: _("Admin")}
RANK = {role: rank for rank, role in enumerate(Role)}


class Channel(StrEnum):
    """The way in through which somebody acted."""

    WEB = "web"
    API = "api"
    MCP = "mcp"
    IMPORT = "import"
    COMMAND = "command"
    WORKFLOW = "workflow"
    MAIL = "mail"
    ADMIN = "admin"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """One user action: who, in which workspace, through which channel, under which change id.

    `member_id` is None for the system, which may do everything that an admin may.
    Make a new Actor for every action: entries that share `change` are undone together. `once` is called with the
    change, in the transaction that makes it, for an action that must not be made twice (see crm/users/once.py).
    """

    workspace_id: int
    member_id: int | None
    role: Role
    channel: Channel
    team_id: int | None = None
    name: str = "Throughline"
    change: uuid.UUID = field(default_factory=uuid.uuid4)
    once: Callable[..., None] | None = field(default=None, compare=False, repr=False)

    def is_at_least(self, role: Role) -> bool:
        return RANK[self.role] >= RANK[role]


def system(workspace_id: int, channel: Channel = Channel.SYSTEM) -> Actor:
    """The system itself, acting in a workspace."""
    return Actor(workspace_id, None, Role.ADMIN, channel)
