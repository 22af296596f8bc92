"""Reactions: undone moves, and the guards of a new workspace."""

from crm.events.reactions import reacts_to
from crm.lifecycle import undone  # noqa: F401
from crm.lifecycle.guards import install_shipped


@reacts_to("workspace.created")
def install_guards(workspaces, by) -> None:
    install_shipped()
