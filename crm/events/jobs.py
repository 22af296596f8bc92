"""What is done every night for all workspaces."""

from crm.events import prune, statistics  # noqa: F401
