"""An import that was undone says so."""

from uuid import UUID

from django.utils import timezone

from crm.kit.actor import Actor
from crm.lists.models import ImportRun


def mark_undone(change: UUID, entity: str, ids: list[int], by: Actor) -> None:
    """Called by audit.undo for every record that was put back."""
    ImportRun.objects.filter(change=change).update(undone_at=timezone.now())
