"""Moves of opportunities to a stage: the one asked for, or that of its kind in each one's own pipeline."""

from collections.abc import Iterator, Mapping
from typing import Any

from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import move
from crm.opportunities import pipelines
from crm.opportunities.axes import STAGE
from crm.opportunities.models import StageKind
from crm.opportunities.pipelines import stage_facts
from crm.users.visibility import RecordQuerySet, lock


def move_stages(
    opportunities: RecordQuerySet,
    verb: str,
    kind: str,
    *,
    by: Actor,
    to: str = "",
    reason: str = "",
    also: Mapping[str, Any] | None = None,
) -> Outcome:
    """Move opportunities by `verb` to the stage `to`, or each to that of its pipeline.

    That is the first won or lost stage, or the last open one. `also` are further columns to set. Refused: those of an
    archived pipeline. Raises Invalid if `to` is no stage of that kind, or not in use.
    """
    check_stage(to, kind)
    outcome = Outcome(by.change)
    for rows, stage in [(opportunities, to)] if to else _by_pipeline(opportunities, kind):
        locked = lock(rows, by, bring=STAGE.field)
        if pipelines.is_archived(pipelines.stage(stage)):
            locked.outcome.refuse(locked.ids, why_archived(stage))
        values = stage_facts(stage) | dict(also or {})
        moved = move(locked, STAGE, verb, by=by, to=stage, reason=reason, also=values)
        outcome.done += moved.done
        outcome.refused |= moved.refused
    return outcome


def check_stage(to: str, kind: str) -> None:
    """Raise Invalid if `to` is given and no stage of this kind, or no longer in use."""
    keys = [stage.key for stage in pipelines.stages(kind)]
    if to and to not in keys:
        raise Invalid({"to": _("Choose {stages}.").format(stages=STAGE.names(keys))})


def why_archived(stage: str) -> str:
    """Return the sentence that refuses an archived stage, or one of an archived pipeline."""
    found = pipelines.stage(stage)
    pipeline = pipelines.process().pipelines[found.pipeline]
    if pipeline.archived_at:
        return _("The pipeline “{name}” is archived. Restore it first.").format(name=pipelines.name_of(pipeline))
    return _("The stage “{stage}” is archived. Restore it first.").format(stage=pipelines.label_of(found))


def _by_pipeline(opportunities: RecordQuerySet, kind: str) -> Iterator[tuple[RecordQuerySet, str]]:
    known = list(pipelines.process().pipelines)
    if len(known) == 1:
        yield opportunities, _stage_in(known[0], kind)
        return
    found = opportunities.order_by("pipeline").values_list("pipeline", flat=True).distinct()
    for pipeline in list(found):
        yield opportunities.filter(pipeline=pipeline), _stage_in(pipeline, kind)


def _stage_in(pipeline: str, kind: str) -> str:
    found = [stage for stage in pipelines.all_stages(kind, pipeline=pipeline) if stage.archived_at is None]
    return found[-1 if kind == StageKind.OPEN else 0].key
