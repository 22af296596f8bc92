"""Undo of the migration while the retired table exists: general undo of the run's change, then its own records."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.models import Entry
from audit.undo.hooks import hold_back
from contacts.models import Contact
from crm.entities import registry
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.sqlite import courtesy
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.access import has_legacy_leads
from crm.legacy_leads.models import LegacyLead, MigrationRun, MovedLead
from crm.legacy_leads.moving.alone import alone
from crm.legacy_leads.moving.run import BATCH, check_role
from crm.lists.models import UndoRun
from crm.lists.undo_runs import Progress, begin, finish
from crm.records.writing import apply_each

State = MigrationRun.State
GONE = _("The legacy leads were dropped. The migration can no longer be undone.")
NOTHING = _("There is no migration to undo.")
AS_A_WHOLE = _("The lead migration can only be undone as a whole, under Settings → Lead migration.")
LISTED = 1_000  # kept records stored


@hold_back
def hold_migrated(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Hook of audit.undo: block undoing a migration from a single contact's entry."""
    held = MigrationRun.objects.filter(change=entries[0].change).exclude(state=State.UNDOING).exists()
    return dict.fromkeys((entry.entity_id for entry in entries), str(AS_A_WHOLE)) if held else {}


def undo_migration(*, by: Actor, progress: Progress | None = None) -> list[tuple[MigrationRun, UndoRun | None]]:
    """Undo all committed or interrupted runs, newest first, in many short transactions.

    Untouched new records are deleted, changed ones kept and listed; existing contacts are restored, legacy leads
    reactivated. If it ends early, the next call continues. Raises NotAllowed for non-admins, Refused if there is
    nothing to undo.
    """
    check_role(by)
    with alone():
        runs = list(MigrationRun.objects.exclude(state=State.UNDONE).order_by("-pk"))
        if not runs:
            raise Refused(str(NOTHING))
        if not has_legacy_leads():
            raise Refused(str(GONE))
        return [(run, _undo(run, replace(by, change=uuid4()), progress)) for run in runs]


def _undo(run: MigrationRun, by: Actor, progress: Progress | None) -> UndoRun | None:
    MigrationRun.objects.filter(pk=run.pk).update(state=State.UNDOING)
    undone = UndoRun.objects.filter(change=run.change).first()  # from an interrupted undo
    if undone is None and Entry.objects.filter(change=run.change).exists():
        undone = begin(run.change, by=by)
    if undone:
        finish(undone, progress=progress)
        by = replace(by, change=undone.own_change)
    for step in (_remember_kept, _release):
        _in_batches(step, LegacyLead.objects.filter(run=run), run, by)
    run.state, run.undone_at, run.kept = State.UNDONE, clock.now(), _listed(undone)
    run.save(update_fields=["state", "undone_at", "kept"])
    return undone


def _in_batches(step: Callable[[list[int], MigrationRun, Actor], None], rows: QuerySet, run, by: Actor) -> None:
    ids = iter(list(rows.order_by("pk").values_list("pk", flat=True)))
    pace = courtesy.Pace(BATCH[connection.vendor])
    while batch := list(islice(ids, pace.size)):
        with pace.batch(), transaction.atomic():
            step(batch, run, by)


def _release(leads: list[int], run: MigrationRun, by: Actor) -> None:
    MovedLead.objects.filter(run=run, lead__any_of=leads).delete()
    nothing = {"run": None, "outcome": "", "outcome_note": "", "value_note": ""}
    LegacyLead.objects.filter(pk__any_of=leads).update(**nothing)


def _remember_kept(leads: list[int], run: MigrationRun, by: Actor) -> None:
    """Let a legacy lead with a kept contact join it, or its merge survivor, in the next migration."""
    entries = Entry.objects.filter(change__unindexed=run.change, event="legacy_lead.migrated", entity_id__any_of=leads)
    became = dict(entries.values_list("entity_id", "person"))
    made = Entry.objects.filter(entity="contact", entity_id__any_of=set(became.values()), event="contact.created")
    made = made.filter(change__unindexed=run.change).order_by().values_list("entity_id", flat=True)
    found = Contact.objects.filter(pk__any_of=list(made)).select_related("merged_into")
    kept = {contact.pk: contact.merged_into or contact for contact in found}
    rows = LegacyLead.objects.filter(pk__any_of=[pk for pk, contact in became.items() if contact in kept])
    rows = rows.order_by("pk").select_for_update(of=("self",))
    changes = [(lead, {"became_contact": kept[became[lead.pk]]}) for lead in rows]
    apply_each([pair for pair in changes if pair[0].became_contact_id != pair[1]["became_contact"].pk], by=by)


def _listed(undone: UndoRun | None) -> list[list[str]]:
    kept = list(undone.kept.values_list("entity", "record_id", "why")[:LISTED]) if undone else []
    names: dict[tuple[str, int], str] = {}
    for entity in {entry[0] for entry in kept}:
        ids = [pk for name, pk, _ in kept if name == entity]
        rows = registry.get(entity).model.objects.filter(pk__any_of=ids).values_list("pk", "public_id")
        names |= {(entity, pk): public_id for pk, public_id in rows}
    return [[entity, names.get((entity, pk), str(pk)), why] for entity, pk, why in kept]
