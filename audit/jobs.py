"""What the log does by the clock."""

from datetime import datetime, timedelta

from audit.sealing import seal_all
from crm.events.scheduler import scheduled


@scheduled(every=timedelta(seconds=15))
def seal(slot: datetime) -> None:
    """Seal what was written since; an entry waits for its seal a quarter of a minute, or what a long batch takes."""
    seal_all()
