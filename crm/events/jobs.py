"""The nightly jobs for all workspaces."""

from crm.events import prune, statistics  # noqa: F401
