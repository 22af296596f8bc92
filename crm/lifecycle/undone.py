"""Undone moves count nowhere: their transitions name the undoing change."""

from uuid import UUID

from audit.undo.hooks import PutBack, on_undo
from crm.kit.actor import Actor
from crm.lifecycle.axes import all_axes
from crm.lifecycle.models import Transition


@on_undo
def mark_undone(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Listener of audit.undo: mark the moves of `change` as undone, and those that it had undone as effective again."""
    own = {axis.field for axis in all_axes() if axis.entity == entity}
    by_axes: dict[frozenset[str], list[int]] = {}  # most records of a change moved alike
    for pk, keys in put_back.items():
        by_axes.setdefault(frozenset(own & keys), []).append(pk)
    for axes, ids in by_axes.items():
        if not axes:
            continue
        moved = Transition.objects.filter(entity=entity, axis__in=sorted(axes), record_id__any_of=ids)
        moved.filter(undone_by=change).update(undone_by=None)
        moved.filter(change__unindexed=change, undone_by__isnull=True).update(undone_by=by.change)
