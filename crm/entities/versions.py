"""The version of a workspace's settings, which invalidates compiled caches in every process."""

import secrets

from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed
from crm.kit.scope import WrongWorkspace, workspace
from crm.kit.translation import gettext as _
from crm.users.models import Workspace

_LARGEST = 2**31 - 1


def lock_settings(by: Actor) -> Workspace:
    """Lock the workspace's row, to serialize changes of settings by admins.

    Raises NotAllowed, and WrongWorkspace for an actor of another workspace.
    """
    if not by.is_at_least(Role.ADMIN):
        raise NotAllowed(_("Only admins can change fields and stage requirements."))
    if by.workspace_id != workspace().pk:
        raise WrongWorkspace("The actor belongs to another workspace than the one in scope.")
    # With `no_key`, other members go on saving: new rows lock the key of their workspace's row.
    return Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)


def bump_schema() -> None:
    """Give the workspace in scope a new, random schema_version, inside the caller's transaction.

    Not the next number: after a rollback the next change would reuse it, and a process that cached the rolled-back
    schema would not notice.
    """
    current = workspace()
    version = secrets.randbelow(_LARGEST) + 1
    Workspace.objects.filter(pk=current.pk).update(schema_version=version)
    current.schema_version = version
