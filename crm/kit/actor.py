"""The author of an action and the channel used. Every verb takes an Actor as `by`."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from crm.kit.translation import gettext_lazy as _


class Role(StrEnum):
    """A member's role in a workspace (DESIGN: roles); each includes the one before."""

    VIEWER = "viewer"
    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        return ROLE_LABELS[self]


ROLE_LABELS = {Role.VIEWER: _("Viewer"), Role.REP: _("Rep"), Role.MANAGER: _("Manager"), Role.ADMIN: _("Admin")}
RANK = {role: rank for rank, role in enumerate(Role)}


class Channel(StrEnum):
    """The channel of an action."""

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
    """One user action: member, workspace, channel and change id.

    `member_id` is None for the system, which has all rights of an admin. Create a new Actor per action: entries that
    share `change` are undone together. `once` is called with the change, inside its transaction, for actions that must
    not repeat (see crm/users/once.py).
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
    return Actor(workspace_id, None, Role.ADMIN, channel)
