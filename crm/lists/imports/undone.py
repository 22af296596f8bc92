"""An import that was undone says so."""

from uuid import UUID

from django.utils import timezone

from audit.undo.hooks import PutBack, on_undo
from crm.kit.actor import Actor
from crm.lists.models import ImportRun


@on_undo
def mark_undone(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Called by audit.undo.undo for the records that were put back."""
    ImportRun.objects.filter(change=change).update(undone_at=timezone.now())
