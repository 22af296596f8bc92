"""undo(): revert one change of any kind, e.g. a bulk edit, import, merge or lifecycle move.

Old values exist only in the entries. Anything that a later change touched stays, with its dependents, and is listed:
- a value that has changed since, or is no longer valid;
- a record that the change made and that was used since, with all effects of the change on it;
- the moves of a contact, its leads and its opportunities, all of them if one must stay.

Why: docs/decisions/0046-undo-inverts-a-change.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from django.db import connection, models, transaction

from audit import values
from audit.models import Entry
from audit.record import LogRow, record_rows
from audit.subjects import Guarded, Subject, subject
from audit.undo.hooks import (
    NOT_YOURS,
    SETTING,
    TOUCHED,
    Undone,
    hold_back,
    in_one_piece,
    on_lock,
    on_settings,
    on_take_back,
    on_undo,
)
from audit.undo.remove import Inverted, remove_records
from audit.undo.revert import EntryReverter
from audit.undo.rights import records_out_of_reach
from audit.undo.standing import standing_changes
from audit.undo.staying import StayingRecords
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed, Refused
from crm.kit.read_tracking import uncounted_reads
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

LOOKED_AT = 2_000  # entries searched for a record the actor gave away
NOTHING_LEFT = _("There’s nothing left to undo.")


@transaction.atomic
def undo(change: UUID, *, by: Actor) -> Undone:
    """Restore all records of `change` to their earlier state, in one transaction, and record it.

    Raises Refused if there is nothing (left) to undo, or only settings (roles, guards, fields), which have their own
    verbs and checks; NotAllowed for a rep on another member's change, or if they may no longer change any of its
    records. For thousands of records use crm.lists.undo_runs.
    """
    check_undo(change, by)
    if whole := undo_in_one_piece(change, by):
        return whole
    settings_back = undo_settings(change, by)
    undone = undo_entries(list(Entry.objects.filter(change=change).order_by("-id")), by=by)
    undone.reverted += settings_back
    if not undone.reverted:
        raise Refused(nothing_undone_message(undone.kept[0].why if undone.kept else ""))
    return undone


def undo_in_one_piece(change: UUID, by: Actor) -> Undone | None:
    """Undo a change that an app undoes itself; return None for any other."""
    return next((undone for undoer in in_one_piece if (undone := undoer(change, by=by))), None)


def undo_settings(change: UUID, by: Actor) -> int:
    """Put back the settings that come back with the records of a change; return how many."""
    return sum(listener(change, by) for listener in on_settings)


def nothing_undone_message(why: str = "") -> str:
    return gettext("Couldn’t undo. {reason}").format(reason=why or NOTHING_LEFT)


def check_undo(change: UUID, by: Actor) -> None:
    """Raise Refused for an unknown change, NotAllowed if `by` may not undo it."""
    entries = Entry.objects.filter(change=change).order_by("-id")
    first = entries.first()
    if first is None:
        raise Refused(gettext("There’s nothing to undo."))
    if by.is_at_least(Role.MANAGER):
        return
    if first.member_id != by.member_id:
        raise NotAllowed(gettext("Only managers can undo someone else’s changes."))
    if not by.is_at_least(Role.REP) or not _touches_theirs(entries, by):
        raise NotAllowed(gettext("You no longer have permission to change these records."))


def _touches_theirs(entries: models.QuerySet, by: Actor) -> bool:
    """Return whether the actor may change one of the records, or owned one before the change reassigned it.

    One is enough: a merge moves the duplicate's reports, with any owner, and must be undone completely.
    """
    kinds = [subject(entity) for entity in entries.order_by().values_list("entity", flat=True).distinct()]
    touched = {kind: entries.filter(entity=kind.entity).order_by().values("entity_id") for kind in kinds}
    return any(_may_change(kind, ids, by) for kind, ids in touched.items()) or any(
        _gave_away(entry, by) for entry in entries[:LOOKED_AT]
    )


def _may_change(about: Subject, ids: models.QuerySet, by: Actor) -> bool:
    rows = about.model._default_manager
    return not isinstance(rows, Guarded) or rows.editable_by(by).filter(pk__in=ids).exists()


def _gave_away(entry: Entry, by: Actor) -> bool:
    old = entry.old_values or {}
    return any(old.get(key, -1) in (None, mine) for key, mine in (("owner", by.member_id), ("team", by.team_id)))


@transaction.atomic
def undo_entries(entries: Sequence[Entry], *, by: Actor) -> Undone:
    """Revert entries of one change, newest first, which must be complete for their contacts.

    The first attempt knows the later changes. If it finds more to keep that belongs with something restored, it is
    rolled back and repeated without that.
    """
    with uncounted_reads():  # reads that serve only the undo
        for listener in on_lock:
            listener(entries)
        _lock(entries)
        staying = _touched(entries, by)
        while True:
            with transaction.atomic():
                attempt = _Attempt(by, staying)
                attempt.run(entries)
                needed = staying.and_also(attempt.undone.kept, attempt.moved, attempt.done)
                transaction.set_rollback(needed is not staying)
            if needed is staying:
                return attempt.undone
            staying = needed


def _lock(entries: Iterable[Entry]) -> None:
    """Lock all records in id order, as verbs do, before restoring them newest entry first.

    Locked in restore order, an undo and a bulk edit could deadlock. On SQLite the transaction has locked everything.
    """
    if not connection.features.has_select_for_update:
        return
    for entity in sorted({entry.entity for entry in entries}):
        about = subject(entity)
        if not about.is_setting:
            ids = [entry.entity_id for entry in entries if entry.entity == entity]
            rows = about.model._default_manager.filter(pk__any_of=ids).order_by("pk").select_for_update(of=("self",))
            list(rows.values_list("pk"))


def _touched(entries: Sequence[Entry], by: Actor) -> StayingRecords:
    """Return what must stay: records made by the change that a rule keeps, or that others changed since."""
    why: dict[tuple[str, int], str] = {}
    for entity in {entry.entity for entry in entries}:
        made = [entry for entry in entries if entry.entity == entity and entry.is_creation]
        if made and not subject(entity).is_setting:
            why |= {(entity, pk): TOUCHED for pk in _touched_since(subject(entity), made, by)}
            why |= {(entity, pk): sentence for pk, sentence in _held_back(entity, made, by).items()}
    return StayingRecords(entries, why).with_what_belongs()


def _held_back(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Return the records kept by a rule, and those out of the actor's reach, with reasons."""
    held = {pk: why for rule in hold_back for pk, why in rule(entity, entries, by).items()}
    return held | dict.fromkeys(records_out_of_reach(subject(entity), entries, by), NOT_YOURS)


def _touched_since(about: Subject, entries: Sequence[Entry], by: Actor) -> set[int]:
    """Return records with later effective changes, not counting those of this undo."""
    ids, first = [entry.entity_id for entry in entries], min(entry.id for entry in entries)
    others = Entry.objects.of_others(entries[0].change, by.change)
    own = standing_changes(others.filter(entity=about.entity, entity_id__any_of=ids))
    touched = {pk for (_, pk, _), change in own.items() if change.entry > first}
    if about.person == "pk":
        changes = standing_changes(others.filter(person__any_of=ids)).values()
        touched |= {change.person for change in changes if change.person and change.entry > first}
    return touched


def _not_back(about: Subject, entries: Sequence[Entry]) -> set[int]:
    """Return the settings without their earlier values, which undo_settings() may have put back."""
    rows = about.model._default_manager.in_bulk({entry.entity_id for entry in entries})
    return {entry.entity_id for entry in entries if not _is_back(rows.get(entry.entity_id), entry)}


def _is_back(row: models.Model | None, entry: Entry) -> bool:
    if row is None or not entry.old_values:
        return False
    then = ((key, values.from_log(type(row), key, old)) for key, old in entry.old_values.items())
    return all(values.read_value(row, key) == old for key, old in then)


@dataclass
class _Attempt:
    """One attempt to revert entries, except what stays."""

    by: Actor
    staying: StayingRecords
    undone: Undone = field(default_factory=Undone)
    moved: set[int] = field(default_factory=set)  # contacts whose moves had to stay
    done: list[tuple[Entry, set[str]]] = field(default_factory=list)  # reverted entries with their keys

    def run(self, entries: Sequence[Entry]) -> None:
        contacts = {entry.person for entry in entries if entry.person} - self.staying.contacts()
        self.undone.reverted += sum(taker(entries[0].change, contacts, self.by) for taker in on_take_back if contacts)
        for (entity, made), group in groupby(entries, key=lambda entry: (entry.entity, entry.is_creation)):
            about, own = subject(entity), list(group)
            if about.undone_with_records:
                continue
            if about.is_setting:
                self.undone.keep(entity, _not_back(about, own), SETTING)
            elif made:
                self._record(about, remove_records(about, own, self.staying, self.undone))
            else:
                self._put_back(about, own)

    def _put_back(self, about: Subject, entries: list[Entry]) -> None:
        entries = [entry for entry in entries if entry.record not in self.staying.made]
        held = _held_back(about.entity, entries, self.by) if entries else {}
        for pk, why in held.items():
            self.undone.keep(about.entity, [pk], why)
        reverting = EntryReverter(about, self.staying, self.undone, self.by, self.moved)
        reverting.leave(entry for entry in entries if entry.entity_id in held)
        self._record(about, reverting.put_back([entry for entry in entries if entry.entity_id not in held]))

    def _record(self, about: Subject, inverted: list[Inverted]) -> None:
        """Write an entry per reverted one, noting the reverted event. Then call the listeners."""
        for event, group in groupby(inverted, key=lambda row: row[0].event):
            facts = [LogRow(entry.entity_id, entry.person, old, new) for entry, old, new in group]
            record_rows(f"{about.entity}.undone", facts, by=self.by, note=event)
        self.undone.reverted += len(inverted)
        self.done += [(entry, set(old)) for entry, old, _new in inverted]
        changed: dict[int, set[str]] = {}
        for entry, old, _new in inverted:
            changed.setdefault(entry.entity_id, set()).update(old)
        for listener in on_undo if changed else ():
            listener(inverted[0][0].change, about.entity, changed, self.by)
