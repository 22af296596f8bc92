"""Undoing changes of opportunities whose stages were archived, by the same change or later."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from audit.models import Entry
from audit.record import update_and_record
from audit.undo.hooks import PutBack, hold_back, on_undo
from crm.entities.versions import bump_schema
from crm.kit.actor import Actor
from crm.opportunities import pipelines
from crm.opportunities.models import Opportunity, PipelineStage, StageKind
from crm.opportunities.stage_moves import why_archived


@on_undo
def take_stages_back(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Listener of audit.undo: restore the stages that `change` archived, with the first opportunities put back."""
    if entity != "opportunity":
        return
    entries = _archiving(change)
    rows = PipelineStage.objects.filter(pk__in=[entry.entity_id for entry in entries], archived_at__isnull=False)
    for stage in rows:
        old = next(entry.old_values or {} for entry in entries if entry.entity_id == stage.pk)
        others = PipelineStage.objects.filter(pipeline=stage.pipeline, is_for_converted=True)
        is_for_converted = bool(old.get("is_for_converted")) and not others.exists()
        changes = {"archived_at": None, "is_for_converted": is_for_converted}
        update_and_record("pipeline_stage.restored", PipelineStage.objects.filter(pk=stage.pk), changes, by=by)
        bump_schema()


def _archiving(change: UUID) -> list[Entry]:
    """Return the entries of stages that `change` archived; found by their entity, of which there are few."""
    rows = Entry.objects.filter(entity="pipeline_stage", event="pipeline_stage.archived", change__unindexed=change)
    return list(rows)


@hold_back
def hold_in_archived_stages(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Rule of audit.undo: put no opportunity back to a stage, or pipeline, that was archived by another change."""
    if entity != "opportunity":
        return {}
    own = {entry.entity_id for entry in _archiving(entries[0].change)}
    return {
        pk: why_archived(stage.key)
        for pk, stage in _stages_after(entries)
        if _is_closed_off(stage) and stage.pk not in own
    }


def _is_closed_off(stage: PipelineStage) -> bool:
    """Return whether no opportunity may enter a stage. Won and lost ones stay in an archived pipeline."""
    return bool(stage.archived_at) or (stage.kind == StageKind.OPEN and pipelines.is_archived(stage))


def _stages_after(entries: Iterable[Entry]) -> list[tuple[int, PipelineStage]]:
    """Return the stages to which an undo would put records back, or in which it would take them out of the trash."""
    old = {entry.entity_id: entry.old_values or {} for entry in entries}  # the oldest entry of each, which is last
    found = {pk: values["stage"] for pk, values in old.items() if "stage" in values}
    back = [pk for pk, values in old.items() if values.get("deleted_at", "") is None]
    here = Opportunity.objects.filter(pk__any_of=back).values_list("pk", "stage") if back else ()
    return [(pk, pipelines.stage(stage)) for pk, stage in (dict(here) | found).items()]
