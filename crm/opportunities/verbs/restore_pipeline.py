"""Take an archived pipeline into use again."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.opportunities.models import Pipeline


@transaction.atomic
def restore_pipeline(pipeline: Pipeline, *, by: Actor) -> Pipeline:
    """Restore an archived pipeline with its stages. Admins only. Idempotent. Raises NotAllowed."""
    lock_settings(by)
    rows = Pipeline.objects.filter(pk=pipeline.pk)
    if update_and_record("pipeline.restored", rows, {"archived_at": None}, by=by):
        bump_schema()
    pipeline.archived_at = None
    return pipeline
