"""A workspace's pipelines and stages, read once per schema version, and the templates that new pipelines start from.

Why: docs/decisions/0081-stages-are-data-keyed-per-workspace.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from crm.entities.fields import Choice
from crm.kit.scope import workspace
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import in_english, pgettext_lazy
from crm.opportunities.models import Pipeline, PipelineStage, StageKind
from crm.opportunities.naming import free_key

OPEN, WON, LOST = StageKind.OPEN, StageKind.WON, StageKind.LOST


@dataclass(frozen=True)
class ShippedStage:
    """A stage of a template. `probability` in percent."""

    key: str
    label: str
    kind: StageKind
    probability: int
    tone: str
    is_for_converted: bool = False


@dataclass(frozen=True)
class Template:
    """A pipeline to start from."""

    name: str
    stages: tuple[ShippedStage, ...]


SALES = Template(
    _("Sales"),
    (
        ShippedStage("prospecting", _("Prospecting"), OPEN, 10, "grey"),
        ShippedStage("qualification", _("Qualification"), OPEN, 25, "blue", is_for_converted=True),
        ShippedStage("proposal", _("Proposal"), OPEN, 50, "violet"),
        ShippedStage("negotiation", _("Negotiation"), OPEN, 75, "amber"),
        ShippedStage("won", pgettext_lazy("opportunity", "Won"), WON, 100, "green"),
        ShippedStage("lost", pgettext_lazy("opportunity", "Lost"), LOST, 0, "red"),
    ),
)
RENEWALS = Template(
    _("Renewals"),
    (
        ShippedStage("renewal_upcoming", _("Upcoming"), OPEN, 50, "grey", is_for_converted=True),
        ShippedStage("renewal_in_discussion", _("In discussion"), OPEN, 70, "blue"),
        ShippedStage("renewal_verbal", _("Verbal agreement"), OPEN, 90, "violet"),
        ShippedStage("renewed", _("Renewed"), WON, 100, "green"),
        ShippedStage("renewal_lost", _("Not renewed"), LOST, 0, "red"),
    ),
)
PARTNERSHIPS = Template(
    _("Partnerships"),
    (
        ShippedStage("partner_contacted", _("Contacted"), OPEN, 10, "grey", is_for_converted=True),
        ShippedStage("partner_evaluating", _("Evaluating"), OPEN, 30, "blue"),
        ShippedStage("partner_contract", _("Contract"), OPEN, 70, "violet"),
        ShippedStage("partner_signed", _("Signed"), WON, 100, "green"),
        ShippedStage("partner_declined", _("Declined"), LOST, 0, "red"),
    ),
)
# Of a pipeline without a template: to be renamed.
BLANK = (
    ShippedStage("new_stage", _("New"), OPEN, 20, "grey", is_for_converted=True),
    ShippedStage("new_won", pgettext_lazy("opportunity", "Won"), WON, 100, "green"),
    ShippedStage("new_lost", pgettext_lazy("opportunity", "Lost"), LOST, 0, "red"),
)
TEMPLATES = {"sales": SALES, "renewals": RENEWALS, "partnerships": PARTNERSHIPS}
_TEXTS = {stage.key: stage.label for template in TEMPLATES.values() for stage in template.stages}


@dataclass(frozen=True)
class Process:
    """The pipelines of a workspace in order, and their stages in order, archived ones included; both by key."""

    pipelines: dict[str, Pipeline]
    stages: dict[str, PipelineStage]


def process() -> Process:
    """Return the pipelines of the workspace in scope; no statement unless they have changed."""
    here = workspace()
    return _process(here.pk, here.schema_version)


@lru_cache(maxsize=1000)
def _process(workspace_id: int, schema_version: int) -> Process:
    pipelines = {pipeline.key: pipeline for pipeline in Pipeline.objects.all()}
    order = list(pipelines)
    found = sorted(PipelineStage.objects.all(), key=lambda stage: order.index(stage.pipeline))
    return Process(pipelines, {stage.key: stage for stage in found})


def pipelines() -> list[Pipeline]:
    """Return the pipelines in use, in order."""
    return [pipeline for pipeline in process().pipelines.values() if pipeline.archived_at is None]


def default_pipeline() -> Pipeline:
    return next(pipeline for pipeline in pipelines() if pipeline.is_default)


def stages(*kinds: str, pipeline: str = "") -> list[PipelineStage]:
    """Return the stages in use, of these kinds and this pipeline if given, in order."""
    return [stage for stage in all_stages(*kinds, pipeline=pipeline) if not is_archived(stage)]


def is_archived(stage: PipelineStage) -> bool:
    return bool(stage.archived_at or process().pipelines[stage.pipeline].archived_at)


def all_stages(*kinds: str, pipeline: str = "") -> list[PipelineStage]:
    """Return the same, with archived ones."""
    found: Iterable[PipelineStage] = process().stages.values()
    found = (stage for stage in found if not kinds or stage.kind in kinds)
    return [stage for stage in found if not pipeline or stage.pipeline == pipeline]


def stage(key: str) -> PipelineStage:
    """Return a stage, also an archived one. Raises KeyError."""
    return process().stages[key]


def first_stage(kind: str, pipeline: str = "") -> PipelineStage:
    """Return the first stage of a kind in a pipeline; in the default one if not given."""
    return stages(kind, pipeline=pipeline or default_pipeline().key)[0]


def stage_for_converted() -> PipelineStage:
    """Return where the opportunities of converted leads start, in the default pipeline."""
    found = stages(StageKind.OPEN, pipeline=default_pipeline().key)
    return next((stage for stage in found if stage.is_for_converted), found[0])


def choice(stage: PipelineStage) -> Choice:
    group = name_of(process().pipelines[stage.pipeline])
    return Choice(stage.key, label_of(stage), stage.tone, group=group, ends_it=stage.kind == StageKind.LOST)


def label_of(stage: PipelineStage) -> str:
    """Return the stage's label; that of an unchanged stage of a template in the reader's language."""
    return str(_TEXTS[stage.key]) if _english(stage.key) == stage.label else stage.label


@cache
def _english(key: str) -> str | None:
    return in_english(_TEXTS[key]) if key in _TEXTS else None


def name_of(pipeline: Pipeline) -> str:
    """Return the pipeline's name; that of an unchanged template in the reader's language."""
    template = TEMPLATES.get(pipeline.key)
    unchanged = template is not None and in_english(template.name) == pipeline.name
    return str(template.name) if template and unchanged else pipeline.name


def stage_facts(key: str) -> dict[str, Any]:
    """Return the columns of an opportunity that follow from its stage. Raises KeyError."""
    found = stage(key)
    return {"stage_kind": found.kind, "probability": found.probability}


def add_pipeline(name: str, stages: Sequence[ShippedStage], *, key: str, is_default: bool = False) -> Pipeline:
    """Insert a pipeline with its stages, texts of templates in English, and their keys where they are free."""
    taken = set(PipelineStage.objects.values_list("key", flat=True))
    keys = [each.key if each.key not in taken else free_key(f"{key} {each.label}", taken) for each in stages]
    pipeline = Pipeline.objects.create(key=key, name=name, is_default=is_default, position=Pipeline.objects.count())
    PipelineStage.objects.bulk_create(
        PipelineStage(
            pipeline=key,
            key=stage_key,
            label=in_english(each.label) if each.key in _TEXTS else str(each.label),
            kind=each.kind,
            position=position,
            probability=Decimal(each.probability) / 100,
            tone=each.tone,
            is_for_converted=each.is_for_converted,
        )
        for position, (stage_key, each) in enumerate(zip(keys, stages, strict=True))
    )
    return pipeline


def install_shipped() -> None:
    """Give a new workspace its first pipeline."""
    add_pipeline(in_english(SALES.name), SALES.stages, key="sales", is_default=True)
