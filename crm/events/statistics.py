"""Fresh planner statistics where the database does not update them itself."""

from datetime import datetime, time

from crm.events.scheduler import scheduled
from crm.kit import statistics


@scheduled(at=time(3))
def gather_statistics(slot: datetime) -> None:
    """Analyze nightly all tables on SQLite, and on PostgreSQL those that autovacuum skipped."""
    statistics.analyze_all(grown=True)
