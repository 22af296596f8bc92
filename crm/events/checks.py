"""System checks for Celery settings that lose, delay or repeat messages, and for handlers of undeclared events."""

from itertools import pairwise

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from crm.events.handlers import all_handlers
from crm.events.registry import all_events

# Setting → (what it must be, what happens otherwise).
REQUIRED = {
    "CELERY_TASK_ACKS_LATE": (True, "a message is lost when its worker dies"),  # not a text
    "CELERY_TASK_REJECT_ON_WORKER_LOST": (True, "a message is lost when its worker is killed"),  # not a text
    "CELERY_WORKER_PREFETCH_MULTIPLIER": (1, "one worker keeps messages that another could run"),  # not a text
    "CELERY_TASK_IGNORE_RESULT": (True, "unread results pile up"),  # not a text
    "CELERY_TASK_SERIALIZER": ("json", "a message may hold code"),  # not a text
    "CELERY_ACCEPT_CONTENT": (["json"], "a message may hold code"),  # not a text
    "CELERY_WORKER_REDIRECT_STDOUTS": (False, "printed text lands in the log unfiltered"),  # not a text
    "CELERY_WORKER_HIJACK_ROOT_LOGGER": (False, "the log format without personal data is replaced"),  # not a text
}


@register()
def celery_is_safe(app_configs, **kwargs) -> list[CheckMessage]:
    """E010–E013: Celery settings that lose, delay or expose messages."""
    if not settings.CELERY_BROKER_URL:
        return []
    errors: list[CheckMessage] = [
        Error(f"{name} must be {value!r}: otherwise {why}.", id="crm.E010")
        for name, (value, why) in REQUIRED.items()
        if getattr(settings, name, None) != value
    ]
    return errors + _times_in_order() + _comes_back_soon() + _stops_softly()


def _times_in_order() -> list[CheckMessage]:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    times = {
        "CELERY_TASK_SOFT_TIME_LIMIT": settings.CELERY_TASK_SOFT_TIME_LIMIT,
        "CELERY_TASK_TIME_LIMIT": settings.CELERY_TASK_TIME_LIMIT,
        "DELIVERY_LEASE": settings.DELIVERY_LEASE,
        "visibility_timeout": options.get("visibility_timeout", 3600),
    }
    ordered = [seconds or float("inf") for seconds in times.values()]
    if all(a < b for a, b in pairwise(ordered)):
        return []
    order = " < ".join(f"{name} ({seconds})" for name, seconds in times.items())
    return [Error(f"These must grow: {order}.", hint="A task runs twice where they do not.", id="crm.E011")]


def _comes_back_soon() -> list[CheckMessage]:
    if settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("unacked_restore_throttle") == 1:
        return []
    return [
        Error("unacked_restore_throttle must be 1: a lost worker's messages come back minutes late.", id="crm.E012")
    ]


def _stops_softly() -> list[CheckMessage]:
    if (settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT or 0) > 0:
        return []
    return [Error("CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT must be over 0: a stop breaks tasks off.", id="crm.E013")]


@register()
def workers_beside_sqlite(app_configs, **kwargs) -> list[CheckMessage]:
    """W002: SQLite's fair queue of writers ends at the process, so Celery workers need PostgreSQL."""
    if not settings.CELERY_BROKER_URL or connection.vendor != "sqlite":
        return []
    hint = "Use PostgreSQL (DATABASE_URL) with Redis, or unset REDIS_URL: one process does it all."  # not a text
    return [Warning("Celery workers write to SQLite beside the web process.", hint=hint, id="crm.W002")]


@register()
def handlers_of_nothing(app_configs, **kwargs) -> list[CheckMessage]:
    """E014: a handler of an event that no app declares would never be called."""
    declared = {kind.name for kind in all_events()}
    return [
        Error(f"{handler.name} handles {event!r}, which no app declares.", id="crm.E014")
        for handler in all_handlers()
        for event in handler.events
        if event not in declared
    ]
