"""Scheduled jobs of the audit log."""

from datetime import datetime, timedelta

from audit.sealing import seal_all
from crm.events.scheduler import scheduled


@scheduled(every=timedelta(seconds=15))
def seal(slot: datetime) -> None:
    """Seal new entries; an entry waits a quarter of a minute, or as long as a long batch takes."""
    seal_all()
