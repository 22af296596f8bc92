"""Undoing the archiving of a stage: once its opportunities are back, it is in use again."""

from uuid import UUID

from audit.models import Entry
from audit.record import update_and_record
from audit.undo.hooks import PutBack, on_undo
from crm.entities.versions import bump_schema
from crm.kit.actor import Actor
from crm.opportunities.models import PipelineStage


@on_undo
def take_stages_back(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Listener of audit.undo: restore the stages that `change` archived, with the first opportunities put back."""
    if entity != "opportunity":
        return
    archived = Entry.objects.filter(change=change, event="pipeline_stage.archived").values("entity_id")
    rows = PipelineStage.objects.filter(pk__in=archived, archived_at__isnull=False)
    if update_and_record("pipeline_stage.restored", rows, {"archived_at": None}, by=by):
        bump_schema()
