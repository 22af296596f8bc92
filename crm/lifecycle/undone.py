"""A move that was undone counts nowhere: its transition keeps the change that undid it."""

from uuid import UUID

from crm.kit.actor import Actor
from crm.lifecycle.models import Transition


def mark_undone(change: UUID, entity: str, ids: list[int], by: Actor) -> None:
    """Called by audit.undo for every record that was put back."""
    moved = Transition.objects.filter(change=change, entity=entity, record_id__in=ids, undone_by__isnull=True)
    moved.update(undone_by=by.change)
