"""Detection of exceptions: a few statements per kind, however many records, and idempotent.

Why: docs/decisions/0029-exceptions-are-found-by-queries.md
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from crm.anomalies.kinds import ANOMALY_KINDS, AnomalyKind
from crm.anomalies.models import Finding
from crm.entities import registry
from crm.events.reactions import is_large_job, react
from crm.kit.actor import Actor, Channel
from crm.kit.compiled_queries import run_cached
from crm.kit.language import speaking_in
from crm.kit.scope import in_workspace, workspace
from crm.kit.sql import array_param, insert_select

BATCH = {"postgresql": 10_000, "sqlite": 500}  # findings per transaction; SQLite runs one transaction at a time
FEW = 100  # records per change, and checks per transaction, done immediately; more wait for the job


def register(kind: AnomalyKind) -> None:
    """Register a kind of exception: checked by the job, and immediately after the events it names."""
    ANOMALY_KINDS.add(kind.name, kind)
    for event, link in kind.looked_at.items():
        react(event, look_soon(kind, link))


def detect(kind: AnomalyKind) -> None:
    """Update the findings of a kind for all records of the workspace in scope.

    Outdated findings are deleted and missing ones added. What to write is read first: on SQLite a scan of a million
    records must not block writers. Evidence is stored and compared in the workspace's language.
    """
    space = workspace()
    with speaking_in(space):
        _detect(kind)


def _detect(kind: AnomalyKind) -> None:
    found, known = _found(kind), Finding.objects.filter(kind=kind.name)
    stale = list(known.filter(~Exists(_same(found))).values_list("pk", flat=True))
    with transaction.atomic():
        for batch in _batches(stale):
            Finding.objects.filter(pk__any_of=batch).delete()
    there = Finding.objects.filter(kind=kind.name, record_id=OuterRef("pk"))
    for batch in _batches(list(found.filter(~Exists(there)).values_list("pk", flat=True))):
        _write(kind, found.filter(pk__any_of=batch))


def _detect_for_records(kind: AnomalyKind, ids: Sequence[int]) -> None:
    """Run detect() for some records, in cached SQL: most verbs change nothing here and should not pay for it."""
    space, sought = workspace(), array_param(ids)
    key = (kind.name, space.pk, space.schema_version, space.language, space.formats)
    there = run_cached(("found", *key), lambda ids: _found(kind).filter(pk__any_of=ids).values_list(*FACTS), ids=sought)
    known = run_cached(("known", *key), lambda ids: _known(kind, ids), ids=sought)
    stale, new = set(known) - set(there), set(there) - set(known)
    if not (stale or new):
        return
    facts = {"workspace_id": space.pk, "kind": kind.name, "entity": kind.entity}
    with transaction.atomic():
        Finding.objects.filter(kind=kind.name, record_id__any_of=[row[0] for row in stale]).delete()
        rows = [Finding(**facts, **dict(zip(COLUMNS, row, strict=True))) for row in new]
        Finding.objects.bulk_create(rows, ignore_conflicts=True)  # the job may run at the same time as a verb


FACTS = ("pk", "owner", "team", "since", "evidence")
COLUMNS = ("record_id", "owner_id", "team_id", "since", "evidence")


def _found(kind: AnomalyKind) -> QuerySet:
    return kind.rows().annotate(since=kind.since(), evidence=kind.evidence()).order_by()


def _known(kind: AnomalyKind, ids: Any) -> QuerySet:
    return Finding.objects.filter(kind=kind.name, record_id__any_of=ids).order_by().values_list(*COLUMNS)


def _same(found: QuerySet) -> QuerySet:
    """Return rows equal to the outer query's finding, if it still holds."""
    people = {"held_by": Coalesce("owner", 0), "seen_by": Coalesce("team", 0)}
    found = found.annotate(**people).filter(pk=OuterRef("record_id"))
    found = found.filter(held_by=Coalesce(OuterRef("owner"), 0), seen_by=Coalesce(OuterRef("team"), 0))
    return found.filter(since=OuterRef("since"), evidence=OuterRef("evidence"))


def _batches(keys: list[int]):
    size = BATCH[connection.vendor]
    return (keys[start : start + size] for start in range(0, len(keys), size))


@transaction.atomic
def _write(kind: AnomalyKind, rows: QuerySet) -> None:
    facts = {"workspace_id": workspace().pk, "kind": kind.name, "entity": kind.entity, "record_id": F("pk")}
    facts |= {"owner_id": F("owner"), "team_id": F("team"), "since": F("since"), "evidence": F("evidence")}
    insert_select(Finding, rows, facts, ignore_conflicts=True)  # the job may run at the same time as a verb


def look_soon(kind: AnomalyKind, link: str) -> Callable[[QuerySet, Actor], None]:
    """Return a reaction to events that `link` leads to: it checks the few records concerned after commit.

    After commit, so that no transaction waits for another's findings while it holds records, and an error here reverts
    nothing.
    """

    def look(rows: QuerySet, by: Actor) -> None:
        if by.channel == Channel.IMPORT or is_large_job() or len(connection.run_on_commit) > FEW:
            return
        ids = list(rows.values_list("pk", flat=True)[: FEW + 1])
        if len(ids) <= FEW:
            space = workspace()
            transaction.on_commit(lambda: _look(space, kind, link, ids), robust=True)

    return look


def _look(here: Any, kind: AnomalyKind, link: str, ids: list[int]) -> None:
    with in_workspace(here), speaking_in(here):
        if link:
            model = registry.get(kind.entity).model
            ids = list(model.objects.filter(**{f"{link}__in": ids}).values_list("pk", flat=True)[: FEW * 10])
        _detect_for_records(kind, ids)
