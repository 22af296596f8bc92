"""Create a pipeline."""

from django.db import transaction

from audit.record import record
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.opportunities.models import Pipeline, PipelineStage
from crm.opportunities.naming import clean_label, free_key
from crm.opportunities.pipelines import BLANK, TEMPLATES, add_pipeline

MOST = 50  # per workspace


@transaction.atomic
def create_pipeline(name: str, *, template: str = "", by: Actor) -> Pipeline:
    """Create a pipeline with the stages of a template: a key of TEMPLATES, or "" for three to rename. Admins only.

    Raises NotAllowed; Invalid for a name that is empty, too long or taken, an unknown template, or too many pipelines.
    """
    lock_settings(by)
    name = clean_label(name, "name")
    if Pipeline.objects.filter(name__iexact=name).exists():
        raise Invalid({"name": _("A pipeline named “{name}” already exists.").format(name=name)})
    if template and template not in TEMPLATES:
        raise Invalid({"template": _("Choose a template.")})
    if Pipeline.objects.count() >= MOST:
        raise Invalid({"name": _("A workspace can have up to {count} pipelines.").format(count=MOST)})
    taken = set(Pipeline.objects.values_list("key", flat=True))
    stages = TEMPLATES[template].stages if template else BLANK
    pipeline = add_pipeline(name, stages, key=template if template and template not in taken else free_key(name, taken))
    record(
        "pipeline.created",
        Pipeline.objects.filter(pk=pipeline.pk),
        by=by,
        snapshot=("key", "name", "position", "is_default"),
    )
    made = PipelineStage.objects.filter(pipeline=pipeline.key)
    record("pipeline_stage.created", made, by=by, snapshot=PipelineStage.LOGGED)
    bump_schema()
    return pipeline
