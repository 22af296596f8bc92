"""Events of pipelines, stages, and people on opportunities."""

from audit.subjects import register
from crm.events.registry import EventType, declare
from crm.kit.translation import gettext_lazy as _

register("opportunity_contact", "opportunities.OpportunityContact", person="contact_id")
register("pipeline", "opportunities.Pipeline")
register("pipeline_stage", "opportunities.PipelineStage", undone_with_records=True)
declare(
    EventType(
        "opportunity_contact.added",
        "CREATE",
        _("Person added to opportunity"),
        _("{who} added the contact to an opportunity"),
        icon="user-plus",
    ),
    EventType(
        "opportunity_contact.updated",
        "UPDATE",
        _("Role on opportunity changed"),
        _("{who} changed the contact’s role on an opportunity"),
        icon="user-pen",
    ),
    EventType(
        "opportunity_contact.removed",
        "DELETE",
        _("Person removed from opportunity"),
        _("{who} took the contact off an opportunity"),
        icon="user-minus",
    ),
    EventType("pipeline.created", "CREATE", _("Pipeline created"), _("{who} created a pipeline"), icon="workflow"),
    EventType("pipeline.updated", "UPDATE", _("Pipeline changed"), _("{who} changed a pipeline"), icon="workflow"),
    EventType("pipeline.archived", "ARCHIVE", _("Pipeline archived"), _("{who} archived a pipeline"), icon="archive"),
    EventType(
        "pipeline.restored", "RESTORE", _("Pipeline restored"), _("{who} restored a pipeline"), icon="archive-restore"
    ),
    EventType("pipeline_stage.created", "CREATE", _("Stage created"), _("{who} created a stage"), icon="workflow"),
    EventType("pipeline_stage.updated", "UPDATE", _("Stage changed"), _("{who} changed a stage"), icon="workflow"),
    EventType("pipeline_stage.archived", "ARCHIVE", _("Stage archived"), _("{who} archived a stage"), icon="archive"),
    EventType(
        "pipeline_stage.restored", "RESTORE", _("Stage restored"), _("{who} restored a stage"), icon="archive-restore"
    ),
)
