"""The undone mark on imports."""

from uuid import UUID

from django.utils import timezone

from audit.undo.hooks import PutBack, on_undo
from crm.kit.actor import Actor
from crm.lists.models import ImportRun


@on_undo
def mark_undone(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Mark the run undone; called by audit.undo.undo for the records put back."""
    ImportRun.objects.filter(change=change).update(undone_at=timezone.now())
