"""Reactions: the first pipeline of a new workspace, and stages that an undo restores."""

from crm.events.reactions import reacts_to
from crm.opportunities import undone  # noqa: F401
from crm.opportunities.pipelines import install_shipped


@reacts_to("workspace.created")
def install_pipeline(workspaces, by) -> None:
    install_shipped()
