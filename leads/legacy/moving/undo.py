"""Undo the migration: for as long as the old table stands, by the general undo of the run's change."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from django.db import transaction

from audit.models import Entry
from audit.undo import undo
from audit.undone import Undone
from contacts.fields import apply_each
from contacts.models import Contact
from crm.entities import registry
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.errors import Refused
from leads.legacy.models import LegacyLead, MigrationRun, MovedLead
from leads.legacy.moving.alone import alone
from leads.legacy.moving.run import check_role
from leads.legacy.window import is_there

State = MigrationRun.State
GONE = "The retired table was dropped: the migration can no longer be undone."
NOTHING = "There is no migration to undo."
BY_COMMAND = "The migration of the old leads is undone as a whole: manage.py migrate_leads --undo."
LISTED = 1_000  # of what was kept


def hold_migrated(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Called by audit.undo: nobody takes a migration back by the button beside one contact's entry."""
    held = MigrationRun.objects.filter(change=entries[0].change).exclude(state=State.UNDOING).exists()
    return dict.fromkeys((entry.entity_id for entry in entries), BY_COMMAND) if held else {}


def undo_migration(*, by: Actor) -> list[tuple[MigrationRun, Undone]]:
    """Undo every run that is committed or was interrupted, the newest first; each in one transaction.

    What was made and not touched since is removed, what was touched is kept and listed; reused contacts are put back,
    old leads live again. Raises NotAllowed for anybody but an admin, Refused when there is nothing to undo.
    """
    check_role(by)
    with alone():
        runs = list(MigrationRun.objects.exclude(state=State.UNDONE).order_by("-pk"))
        if not runs:
            raise Refused(NOTHING)
        if not is_there():
            raise Refused(GONE)
        return [(run, _undo(run, replace(by, channel=Channel.COMMAND, change=uuid4()))) for run in runs]


def _undo(run: MigrationRun, by: Actor) -> Undone:
    before = run.state
    MigrationRun.objects.filter(pk=run.pk).update(state=State.UNDOING)
    try:
        return _take_back(run, by)
    except BaseException:
        MigrationRun.objects.filter(pk=run.pk).update(state=before)
        raise


def _take_back(run: MigrationRun, by: Actor) -> Undone:
    with transaction.atomic():
        MovedLead.objects.filter(run=run).delete()
        undone = undo(run.change, by=by) if Entry.objects.filter(change=run.change).exists() else Undone()
        _remember_kept(run, by)
        nothing = {"run": None, "outcome": "", "outcome_note": "", "value_note": ""}
        LegacyLead.objects.filter(run=run).update(**nothing)
        run.state, run.undone_at, run.kept = State.UNDONE, clock.now(), _listed(undone)
        run.save(update_fields=["state", "undone_at", "kept"])
    return undone


def _remember_kept(run: MigrationRun, by: Actor) -> None:
    """An old lead whose contact was kept joins that one, or whom it was merged into, should it be migrated again."""
    made = Entry.objects.filter(change=run.change, event="contact.created").values("entity_id")
    found = Contact.objects.filter(pk__in=made).select_related("merged_into")
    kept = {contact.pk: contact.merged_into or contact for contact in found}
    entries = Entry.objects.filter(change=run.change, event="legacy_lead.migrated", person__any_of=list(kept))
    became = dict(entries.values_list("entity_id", "person")) if kept else {}
    rows = LegacyLead.objects.filter(pk__any_of=list(became)).order_by("pk").select_for_update(of=("self",))
    apply_each([(lead, {"became_contact": kept[became[lead.pk]]}) for lead in rows], by=by)


def _listed(undone: Undone) -> list[list[str]]:
    """What was kept, by its public id."""
    kept = undone.kept[:LISTED]
    names: dict[tuple[str, int], str] = {}
    for entity in {entity for entity, _, _ in kept}:
        ids = [pk for name, pk, _ in kept if name == entity]
        rows = registry.get(entity).model.objects.filter(pk__any_of=ids).values_list("pk", "public_id")
        names |= {(entity, pk): public_id for pk, public_id in rows}
    return [[entity, names.get((entity, pk), str(pk)), why] for entity, pk, why in kept]
