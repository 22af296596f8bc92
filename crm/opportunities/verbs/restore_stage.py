"""Take an archived stage into use again."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.opportunities.models import PipelineStage


@transaction.atomic
def restore_stage(stage: PipelineStage, *, by: Actor) -> PipelineStage:
    """Restore an archived stage of a pipeline; its former opportunities stay where they are. Admins only. Idempotent.

    Raises NotAllowed.
    """
    lock_settings(by)
    rows = PipelineStage.objects.filter(pk=stage.pk)
    if update_and_record("pipeline_stage.restored", rows, {"archived_at": None}, by=by):
        bump_schema()
    stage.archived_at = None
    return stage
