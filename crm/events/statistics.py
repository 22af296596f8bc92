"""Keeping the planner's picture of the tables fresh where the database does not do it by itself."""

from datetime import datetime, time

from crm.events.scheduler import scheduled
from crm.kit import statistics


@scheduled(at=time(3))
def gather_statistics(slot: datetime) -> None:
    """Every night: all tables on SQLite, and on PostgreSQL those that autovacuum left alone."""
    statistics.analyze_all(grown=True)
