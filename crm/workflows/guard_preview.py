"""Preview of a stage requirement: past moves of its verb, with the values then, and records it would block now."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from audit.models import Entry
from crm.conditions.compile import Viewer
from crm.conditions.condition import Condition
from crm.entities import registry
from crm.kit import clock
from crm.lifecycle.axes import all_axes
from crm.lifecycle.models import Transition
from crm.workflows.as_of import met_condition_as_of, previous_values

LAST = 200  # past moves checked
SHOWN = 20


@dataclass(frozen=True)
class GuardPreview:
    """`refused` of the `asked` last moves, the newest `shown` with their time; `held` of `waiting` records now."""

    asked: int
    refused: int
    shown: list[tuple[datetime, Any]]
    waiting: int
    held: int


def preview_guard(entity: str, verb: str, condition: Condition) -> GuardPreview:
    """Test `condition` on the last 200 records that `verb` moved and on those it could move now."""
    model = registry.get(entity).model
    moves = list(_moves(entity, verb))
    then = _before(entity, moves)
    there = set(model.objects.live().filter(pk__in={move.record_id for move in moves}).values_list("pk", flat=True))
    moves = [move for move in moves if move.record_id in there]
    refused = [
        move
        for move in moves
        if not met_condition_as_of(model, move.record_id, then[move.pk], condition, Viewer(move.member_id), move.at)
    ]
    records = model.objects.in_bulk([move.record_id for move in refused[:SHOWN]])
    shown = [(move.at, records[move.record_id]) for move in refused[:SHOWN]]
    waiting = model.objects.live().filter(_sources(entity, verb))
    held = waiting.exclude(pk__in=waiting.filter(condition.expression(Viewer(), clock.now())).order_by().values("pk"))
    return GuardPreview(len(moves), len(refused), shown, waiting.count(), held.count())


def _moves(entity: str, verb: str) -> Iterable[Transition]:
    rows = Transition.objects.filter(entity=entity, verb=verb, undone_by__isnull=True).exclude(from_value="")
    return rows.order_by("-pk")[:LAST]


def _before(entity: str, moves: Iterable[Transition]) -> dict[int, dict[str, Any]]:
    """Map each move to its record's differing values before it. One statement."""
    entries = Entry.objects.filter(entity=entity, entity_id__in={move.record_id for move in moves})
    log = defaultdict(list)
    for record, change, old in entries.order_by("-pk").values_list("entity_id", "change", "old_values"):
        log[record].append((change, old))
    return {move.pk: previous_values(_until(log[move.record_id], move)) for move in moves}


def _until(log: list[tuple[Any, Any]], move: Transition) -> list[Any]:
    """Return the values replaced by entries from the newest down to the first of the move's change."""
    own = [index for index, (change, _) in enumerate(log) if change == move.change]
    return [old for _, old in log[: own[-1] + 1 if own else 0]]


def _sources(entity: str, verb: str) -> Q:
    found = Q(pk__in=[])
    for axis in all_axes():
        for move in axis.moves if axis.entity == entity else ():
            found |= Q(**{f"{axis.field}__in": move.sources}) if move.verb == verb else Q(pk__in=[])
    return found
