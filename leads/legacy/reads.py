"""Every read of the retired table, by a page, the API, the admin, a command or SQL of one's own: counted by member, day
and place. Each statement of every connection is looked at; what is done in housekeeping() nobody has read.
"""

import atexit
import logging
import re
from collections import Counter
from datetime import datetime
from threading import Lock
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.backends.signals import connection_created
from django.db.models import F

from crm.kit import clock
from crm.kit.present import Presence, is_working, on_leaving, presence
from crm.kit.scope import NoWorkspace, in_workspace, workspace
from crm.users.models import Workspace
from leads.legacy.models import LegacyLead, LegacyVisit, OldLeads

TABLE = LegacyLead._meta.db_table
# What begins so reads nothing of it, or changes it; the entry that the log has of a change is another statement.
NO_READ = re.compile(
    rf"\s*(?:(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|ANALYZE|VACUUM)\s+\"?{TABLE}\b|TRUNCATE\b|PRAGMA\b)", re.IGNORECASE
)
log = logging.getLogger(__name__)
_lock = Lock()
_pending: Counter[tuple] = Counter()  # (workspace or None, Presence, moment) → reads


def watch(connection: Any, **kwargs: Any) -> None:
    """Look at what a new connection executes; a receiver of connection_created."""
    if _look not in connection.execute_wrappers:
        connection.execute_wrappers.append(_look)


def _look(execute: Any, sql: Any, params: Any, many: bool, context: dict) -> Any:
    result = execute(sql, params, many, context)
    text = str(sql)
    if TABLE in text.lower() and not NO_READ.match(text):
        _note()
    return result


def _note() -> None:
    seen = presence()
    if seen is None:
        return
    try:
        here = workspace()
    except NoWorkspace:
        here = None
    with _lock:
        _pending[here, seen, clock.now().replace(second=0, microsecond=0)] += 1
    if not is_working():
        transaction.on_commit(flush)


def flush() -> None:
    """Write down what was noted. What cannot be written now is kept for the next time."""
    with _lock:
        noted = dict(_pending)
        _pending.clear()
    for key, reads in noted.items():
        try:
            _write(*key, reads)
        except IntegrityError:
            continue  # whoever read it, or the workspace, is gone
        except DatabaseError:
            log.exception("reads of the retired leads could not be written")
            with _lock:
                _pending[key] += reads


def _write(here: Workspace | None, seen: Presence, moment: datetime, reads: int) -> None:
    """Add them to the day's; what was read with no workspace in scope may have been anybody's."""
    for each in [here] if here else Workspace.objects.filter(pk__in=OldLeads.objects.unscoped().values("workspace")):
        with in_workspace(each), transaction.atomic():
            same = {"member_id": seen.member_id if here else None, "place": seen.place[:120], "day": moment.date()}
            more = {"reads": F("reads") + reads, "last_at": moment}
            if not LegacyVisit.objects.filter(**same).update(**more):
                LegacyVisit.objects.create(**same, reads=reads, last_at=moment)


connection_created.connect(watch, dispatch_uid="leads.legacy.reads")
on_leaving(flush)
atexit.register(flush)
