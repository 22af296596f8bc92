"""Counting of reads of the retired table through its manager, by member, day and place: page, API, admin or command.

Reads in uncounted_reads() are not counted. Raw SQL in a shell or another program is not seen.

Why: docs/decisions/0049-reads-are-counted-by-the-manager.md
"""

import atexit
import logging
from collections import Counter
from datetime import datetime
from threading import Lock

from django.apps import apps
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F

from crm.kit import clock
from crm.kit.read_tracking import TableReader, after_reading, current_reader, who_reads
from crm.kit.scope import NoWorkspace, in_workspace, workspace
from crm.users.models import Workspace

log = logging.getLogger(__name__)
_lock = Lock()
_pending: Counter[tuple] = Counter()  # (workspace or None, TableReader, moment) → reads


def count_read() -> None:
    """Note a read by the current reader; written when the block ends, or at commit."""
    seen = current_reader()
    if seen is None:
        return
    try:
        space = workspace()
    except NoWorkspace:
        space = None
    with _lock:
        _pending[space, seen, clock.now().replace(second=0, microsecond=0)] += 1
    if who_reads.get() is None:
        transaction.on_commit(flush)


def flush() -> None:
    """Write the noted reads. Failures are kept for the next flush."""
    with _lock:
        noted = dict(_pending)
        _pending.clear()
    for (here, seen, moment), reads in noted.items():
        try:
            _write(here, seen, moment, reads)
        except IntegrityError:
            continue  # the reader or the workspace was deleted
        except DatabaseError:
            log.exception("reads of the retired leads could not be written")
            with _lock:
                _pending[here, seen, moment] += reads


def _write(here: Workspace | None, seen: TableReader, moment: datetime, reads: int) -> None:
    """Add reads to the day's count; without a workspace in scope, to all workspaces'."""
    visits, old_leads = (apps.get_model("legacy_leads", name).objects for name in ("LegacyVisit", "OldLeads"))
    for each in [here] if here else Workspace.objects.filter(pk__in=old_leads.unscoped().values("workspace")):
        with in_workspace(each), transaction.atomic():
            same = {"member_id": seen.member_id if here else None, "place": seen.place[:120], "day": moment.date()}
            more = {"reads": F("reads") + reads, "last_at": moment}
            if not visits.filter(**same).update(**more):
                visits.create(**same, reads=reads, last_at=moment)


after_reading(flush)
atexit.register(flush)
