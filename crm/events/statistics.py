"""Keeping the planner's picture of the tables fresh, where the database does not do it by itself."""

from datetime import datetime, time

from django.db import connection

from crm.events.scheduler import scheduled
from crm.kit.sqlite import statistics


@scheduled(at=time(3))
def gather_statistics(slot: datetime) -> None:
    """Every night, on SQLite."""
    if connection.vendor == "sqlite":
        statistics.gather()
