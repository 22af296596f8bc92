"""Take a pipeline out of use."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.uses import refuse_breaking_changes
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.opportunities.models import Opportunity, Pipeline


@transaction.atomic
def archive_pipeline(pipeline: Pipeline, *, by: Actor) -> Pipeline:
    """Archive a pipeline without open opportunities; its won and lost ones stay. Admins only. Idempotent.

    Raises NotAllowed; Refused for the default pipeline or one with open opportunities; InUse while settings refer to it
    or to its stages.
    """
    lock_settings(by)
    pipeline.refresh_from_db()
    if pipeline.is_default:
        raise Refused(_("Make another pipeline the default first."))
    if Opportunity.objects.open().filter(pipeline=pipeline.key).exists():
        raise Refused(_("Move its open opportunities to another pipeline first."))
    if pipeline.archived_at is None:
        pipeline.archived_at = clock.now()
        rows = Pipeline.objects.filter(pk=pipeline.pk)
        with refuse_breaking_changes(_("Can’t archive the pipeline “{name}”.").format(name=pipeline.name)):
            update_and_record("pipeline.archived", rows, {"archived_at": pipeline.archived_at}, by=by)
            bump_schema()
    return pipeline
