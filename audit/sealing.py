"""The sealer: chains each workspace's entries without blocking their writers.

Why: docs/decisions/0045-seals-are-a-table-of-their-own.md
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace

from django.db import connection, transaction
from django.db.models import Max

from audit.chain import ERASABLE, KEPT, START, content_hash, seal_hash
from audit.models import Entry, Seal, Watermark
from crm.kit.scope import in_workspace
from crm.kit.sql import insert_rows

BATCH = 200  # entries: on SQLite a batch holds the write lock for 5 ms


def seal_all() -> int:
    """Seal all committed, unsealed entries of all workspaces. Return how many.

    Call it every few seconds, from any number of processes. Entries become visible out of id order, because a
    transaction takes ids before it commits: late commits are sealed late, but never missed.
    """
    mark, _ = Watermark.objects.get_or_create(pk=1)
    newest = Entry.objects.unscoped().aggregate(newest=Max("id"))["newest"] or 0
    if newest == mark.done:
        return 0
    ours, settled = _transactions()
    sealed, last = 0, mark.done
    while last < newest:
        count, last = _seal_batch(last)
        sealed += count
    # A number from the future comes from another server: this database was restored from a backup.
    if not settled < mark.seen_before <= ours:
        Watermark.objects.filter(pk=1).update(done=mark.seen, seen=newest, seen_before=ours)
    return sealed


def last_seal() -> tuple[int, str]:
    """Return number and hash of the last seal in the workspace in scope; (0, START) before the first."""
    return Seal.objects.order_by("-seq").values_list("seq", "hash").first() or (0, START)


def _transactions() -> tuple[int, int]:
    """Return the current transaction's number, and the number below which all have ended.

    A transaction has its number before its entry has an id, because the outbox row is written first. SQLite has one
    writer at a time: ids commit in order.
    """
    if connection.vendor != "postgresql":
        return 0, 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text, pg_snapshot_xmin(pg_current_snapshot())::text")
        ours, settled = cursor.fetchone()
        return int(ours), int(settled)


@transaction.atomic
def _seal_batch(last: int) -> tuple[int, int]:
    """Seal the unsealed among the next entries after `last`. Return how many, and the last id reached.

    The lock keeps two sealers on one chain. Existing seals are looked up by key: for NOT EXISTS the planner scans both
    tables per batch.
    """
    Watermark.objects.select_for_update().get(pk=1)
    ids = list(Entry.objects.unscoped().filter(id__gt=last).order_by("id").values_list("id", flat=True)[:BATCH])
    done = set(Seal.objects.unscoped().filter(entry_id__any_of=ids).values_list("entry_id", flat=True))
    entries = Entry.objects.unscoped().filter(id__any_of=[pk for pk in ids if pk not in done])
    rows = list(entries.order_by("workspace_id", "id").values_list(*KEPT, *ERASABLE))
    for workspace, own in groupby(rows, key=itemgetter(KEPT.index("workspace_id"))):
        with in_workspace(SimpleNamespace(pk=workspace)):  # the scope needs only its key
            insert_rows(Seal, ("seq", "entry_id", "content", "previous", "hash"), list(_seals(own)))
    return len(rows), ids[-1]


def _seals(entries: Iterator[tuple]) -> Iterator[tuple]:
    seq, previous = last_seal()
    for entry in entries:
        kept, content = entry[: len(KEPT)], content_hash(entry[len(KEPT) :])
        seq, before, previous = seq + 1, previous, seal_hash(previous, seq + 1, kept, content)
        yield seq, entry[0], content, before, previous
