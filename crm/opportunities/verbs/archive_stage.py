"""Take a stage out of use."""

from django.db import transaction

from audit.record import update_and_record
from crm.entities.uses import refuse_breaking_changes
from crm.entities.versions import bump_schema, lock_settings
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from crm.kit.translation import gettext as _
from crm.lifecycle.move import force_move
from crm.opportunities.axes import STAGE
from crm.opportunities.models import Opportunity, PipelineStage
from crm.opportunities.pipelines import stage_facts, stages


@transaction.atomic
def archive_stage(stage: PipelineStage, *, to: str, by: Actor) -> int:
    """Archive a stage and move its opportunities, those in the trash too, to `to` without requirements. Admins only.

    Undoing the change moves them back and restores the stage. Return the number of opportunities. Raises NotAllowed;
    Invalid if `to` is no other stage of the same pipeline and outcome; Refused for the last stage of an outcome; InUse
    while settings refer to the stage.
    """
    lock_settings(by)
    others = [other for other in stages(stage.kind, pipeline=stage.pipeline) if other.key != stage.key]
    if not others:
        raise Refused(_("A pipeline needs at least one open, one won and one lost stage."))
    if to not in [other.key for other in others]:
        raise Invalid({"to": _("Choose the stage for its opportunities.")})
    rows = Opportunity.objects.filter(stage=stage.key)
    count = rows.count()
    facts = stage_facts(to)
    force_move(rows, STAGE, to, verb="archive_stage", event="opportunity.moved", by=by, also=facts)
    with refuse_breaking_changes(_("Can’t archive the stage “{stage}”.").format(stage=stage.label)):
        archived = {"archived_at": clock.now(), "is_for_converted": False}
        update_and_record("pipeline_stage.archived", PipelineStage.objects.filter(pk=stage.pk), archived, by=by)
        bump_schema()
    return count
