"""Reactions that create notifications."""

from crm.notifications import assigned, leads, mentioned  # noqa: F401
