"""Change a pipeline: its name, whether it is the default, and its stages in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from audit.record import record, update_and_record
from crm.entities.models import TONES
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.opportunities.models import Pipeline, PipelineStage, StageKind
from crm.opportunities.naming import clean_label, free_key

MOST = 50  # stages of a pipeline
LONGEST_STAY = 3650  # days


@dataclass(frozen=True)
class StageRow:
    """A stage as it shall be. `key`: "" for a new one; `kind`: of new ones; `probability`: 0.5 is 50 %.

    `expected_days`: after which an opportunity is stuck; None: from the history of the stage.
    """

    label: str
    key: str = ""
    kind: str = StageKind.OPEN
    probability: Decimal = Decimal(0)
    tone: str = "grey"
    is_for_converted: bool = False
    expected_days: int | None = None

    def columns(self, position: int) -> dict[str, Any]:
        return {
            "label": clean_label(self.label, "stages"),
            "position": position,
            "probability": Decimal(self.probability).quantize(Decimal("0.0001")),  # as stored, for the log
            "tone": self.tone,
            "is_for_converted": self.is_for_converted,
            "expected_days": self.expected_days,
        }


@transaction.atomic
def save_pipeline(
    pipeline: Pipeline, *, name: str, stages: Sequence[StageRow], make_default: bool = False, by: Actor
) -> Pipeline:
    """Rename a pipeline, and change, add and reorder its stages. Admins only.

    Stages that `stages` leaves out stay, behind the others: archive_stage() takes them out of use. Raises NotAllowed;
    Invalid for a name or label that is taken, a probability outside 0 to 1, a time outside 1 to 3650 days, an unknown
    color, or too many stages.
    """
    lock_settings(by)
    pipeline.refresh_from_db()
    _rename(pipeline, clean_label(name, "name"), by)
    known = {stage.key: stage for stage in PipelineStage.objects.filter(pipeline=pipeline.key)}
    _check(stages, known)
    for position, row in enumerate(stages):
        if row.key:
            rows = PipelineStage.objects.filter(pk=known[row.key].pk)
            update_and_record("pipeline_stage.updated", rows, row.columns(position), by=by)
        else:
            _add(pipeline, row, position, by)
    if make_default and not pipeline.is_default:
        _make_default(pipeline, by)
    bump_schema()
    return pipeline


def _rename(pipeline: Pipeline, name: str, by: Actor) -> None:
    if Pipeline.objects.filter(name__iexact=name).exclude(pk=pipeline.pk).exists():
        raise Invalid({"name": _("A pipeline named “{name}” already exists.").format(name=name)})
    update_and_record("pipeline.updated", Pipeline.objects.filter(pk=pipeline.pk), {"name": name}, by=by)
    pipeline.name = name


def _check(stages: Sequence[StageRow], known: Mapping[str, PipelineStage]) -> None:
    given = {row.key for row in stages}
    labels = [clean_label(row.label, "stages").casefold() for row in stages]
    labels += [stage.label.casefold() for key, stage in known.items() if key not in given]
    if doubled := next((label for label in labels if labels.count(label) > 1), ""):
        raise Invalid({"stages": _("Two stages are named “{name}”. Rename one.").format(name=doubled)})
    if any(row.key and row.key not in known for row in stages):
        raise Invalid({"stages": _("This stage belongs to another pipeline.")})
    if not all(0 <= row.probability <= 1 for row in stages):
        raise Invalid({"stages": _("Enter probabilities between 0% and 100%.")})
    if not all(row.expected_days is None or 1 <= row.expected_days <= LONGEST_STAY for row in stages):
        raise Invalid({"stages": _("Enter an expected time of 1 to 3,650 days.")})
    if any(row.tone not in TONES or row.kind not in StageKind.values for row in stages):
        raise Invalid({"stages": _("Choose a color and an outcome for each stage.")})
    if len(stages) > MOST:
        raise Invalid({"stages": _("A pipeline can have up to {count} stages.").format(count=MOST)})


def _add(pipeline: Pipeline, row: StageRow, position: int, by: Actor) -> None:
    taken = set(PipelineStage.objects.values_list("key", flat=True))
    key = free_key(row.label, taken)
    made = PipelineStage.objects.create(pipeline=pipeline.key, key=key, kind=row.kind, **row.columns(position))
    rows = PipelineStage.objects.filter(pk=made.pk)
    record("pipeline_stage.created", rows, by=by, snapshot=PipelineStage.LOGGED)


def _make_default(pipeline: Pipeline, by: Actor) -> None:
    if pipeline.archived_at:
        raise Invalid({"name": _("Restore this pipeline first.")})
    others = Pipeline.objects.filter(is_default=True)
    update_and_record("pipeline.updated", others, {"is_default": False}, by=by)
    update_and_record("pipeline.updated", Pipeline.objects.filter(pk=pipeline.pk), {"is_default": True}, by=by)
