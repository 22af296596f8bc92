"""undo(): invert one change, whatever it was: a bulk edit, an import, a merge, a move along the lifecycle.

The old values live in the entries and nowhere else. A value that was changed again since is kept, and so is a created
record that something has happened to since; both are listed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from django.db import IntegrityError, models, transaction

from audit import values
from audit.models import Entry
from audit.record import Fact, record_each
from audit.subjects import Subject, subject
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed, Refused

CHUNK = 500


@runtime_checkable
class Guarded(Protocol):
    """The manager of a model whose rows not everybody may change."""

    def editable_by(self, by: Actor) -> models.QuerySet:
        """The rows that the actor may change."""


@runtime_checkable
class Versioned(Protocol):
    """A record that counts its changes."""

    version: int
    updated_at: datetime


@runtime_checkable
class Deriving(Protocol):
    """A record with columns that are made from others, some of them over links."""

    DERIVES_FROM: tuple[str, ...]

    def derive(self) -> tuple[str, ...]:
        """Make them anew; returns their names."""


@dataclass
class Undone:
    """How many entries were inverted, and (entity, id, sentence) for each that was kept."""

    reverted: int = 0
    kept: list[tuple[str, int, str]] = field(default_factory=list)


PutBack = Mapping[int, set[str]]  # id → the keys that were put back
Listener = Callable[[UUID, str, PutBack, Actor], None]
_listeners: list[Listener] = []


def on_undo(listener: Listener) -> None:
    """Let an upper app put right what it derives from records: called with (change, entity, what was put back, by)."""
    _listeners.append(listener)


@transaction.atomic
def undo(change: UUID, *, by: Actor) -> Undone:
    """Put every record that `change` touched back as it was before, and record that.

    Raises Refused when there is nothing (left) to undo, or only settings (roles, guards, fields), which their own verbs
    change with their own checks; NotAllowed for a rep when it is somebody else's change, or nothing that it touched is
    theirs to change any more.
    """
    entries = Entry.objects.filter(change=change).order_by("-id")
    _check(entries, by)
    _lock(entries)
    undone, last = Undone(), None
    while chunk := list(entries.filter(id__lt=last)[:CHUNK] if last else entries[:CHUNK]):
        last = chunk[-1].id
        for (entity, created), group in groupby(chunk, key=lambda entry: (entry.entity, _is_creation(entry))):
            about = subject(entity)
            invert = _keep if _is_setting(about) else _remove if created else _revert
            invert(about, list(group), undone, by)
    if not undone.reverted:
        why = undone.kept[0][2] if undone.kept else "There is nothing left to take back."
        raise Refused(f"Nothing was undone. {why}")
    return undone


def _lock(entries: models.QuerySet) -> None:
    """Lock every record in the order of their ids, as verbs do, before they are put back newest entry first.

    Locked as they are put back, two of them would be waited for crosswise by an undo and a bulk edit.
    """
    for entity in entries.order_by("entity").values_list("entity", flat=True).distinct():
        about = subject(entity)
        if not _is_setting(about):
            ids = entries.filter(entity=entity).order_by().values("entity_id")
            rows = about.model._default_manager.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
            for _ in rows.values_list("pk").iterator(CHUNK):
                pass


def _check(entries: models.QuerySet, by: Actor) -> None:
    first = entries.first()
    if first is None:
        raise Refused("There is nothing to undo.")
    if by.is_at_least(Role.MANAGER):
        return
    if first.member_id != by.member_id:
        raise NotAllowed("Only a manager can undo what somebody else did.")
    if not by.is_at_least(Role.REP) or not _touches_theirs(entries, by):
        raise NotAllowed("What this changed is not yours to change any more.")


def _touches_theirs(entries: models.QuerySet, by: Actor) -> bool:
    """Whether the actor may change one of the records now, or had one before the change gave it to somebody else.

    One is enough: a merge moves the reports of the duplicate, whoever owns them, and must come back whole.
    """
    kinds = [subject(entity) for entity in entries.order_by().values_list("entity", flat=True).distinct()]
    touched = {kind: entries.filter(entity=kind.entity).order_by().values("entity_id") for kind in kinds}
    return any(_may_change(kind, ids, by) for kind, ids in touched.items()) or any(
        _gave_away(entry, by) for entry in entries[:CHUNK]
    )


def _may_change(about: Subject, ids: models.QuerySet, by: Actor) -> bool:
    rows = about.model._default_manager
    return not isinstance(rows, Guarded) or rows.editable_by(by).filter(pk__in=ids).exists()


def _gave_away(entry: Entry, by: Actor) -> bool:
    old = entry.old_values or {}
    return any(old.get(key, -1) in (None, mine) for key, mine in (("owner", by.member_id), ("team", by.team_id)))


def _is_setting(about: Subject) -> bool:
    return not isinstance(about.model._default_manager, Guarded)


def _keep(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    sentence = "Settings are changed back where they were made."
    undone.kept += [(about.entity, entry.entity_id, sentence) for entry in entries]


def _is_creation(entry: Entry) -> bool:
    return entry.old_values is None and entry.new_values is not None


def _remove(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    touched = _touched_since(about, entries, by)
    undone.kept += [(about.entity, pk, "Something has happened to it since.") for pk in sorted(touched)]
    gone = {entry.entity_id for entry in entries} - touched
    gone &= set(about.model._default_manager.filter(pk__in=gone).values_list("pk", flat=True))
    while pointed_at := _pointed_at(about.model, gone):
        gone -= pointed_at
        undone.kept += [(about.entity, pk, "Other records point to it.") for pk in sorted(pointed_at)]
    about.model._default_manager.filter(pk__in=gone).delete()
    inverted = [(entry, entry.new_values, None) for entry in entries if entry.entity_id in gone]
    _recorded(about, inverted, undone, by)


def _touched_since(about: Subject, entries: list[Entry], by: Actor) -> set[int]:
    """Who has entries of other changes since; those that this undo wrote about the same records do not count."""
    ids = [entry.entity_id for entry in entries]
    later = _later(entries, by)
    touched = set(later.filter(entity=about.entity, entity_id__in=ids).values_list("entity_id", flat=True))
    if about.person == "pk":
        touched |= set(later.filter(person__in=ids).values_list("person", flat=True))
    return touched


def _later(entries: list[Entry], by: Actor) -> models.QuerySet:
    first = min(entry.id for entry in entries)
    return Entry.objects.filter(id__gt=first).exclude(change__in=[entries[0].change, by.change])


def _pointed_at(model: type[models.Model], ids: set[int]) -> set[int]:
    """Those of the records that others point to: they would be blocked, or their links silently emptied."""
    found: set[int] = set()
    for relation in model._meta.related_objects:
        link = relation.field
        rows = link.model._default_manager.filter(**{f"{link.name}__in": ids})
        rows = rows.exclude(pk__in=ids) if link.model is model else rows
        found |= set(rows.values_list(link.attname, flat=True))
    return found


def _revert(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    records = about.model._default_manager.in_bulk([entry.entity_id for entry in entries])
    held = _Held(_changed_since(about, entries, by), _missing_targets(about.model, entries))
    changed: dict[int, models.Model] = {}
    inverted = []
    for entry in entries:
        record = records.get(entry.entity_id)
        back = _put_back(about, record, entry, held, undone)
        if record and back:
            changed[entry.entity_id] = record
            new = entry.new_values or {}
            inverted.append((entry, {key: new[key] for key in back}, back))
    inverted = _save(about, changed, inverted, undone)
    _recorded(about, inverted, undone, by)


@dataclass
class _Held:
    """What keeps a value from being put back: later changes of it, and what it pointed to being gone."""

    later: dict[tuple[int, str], int]  # (record, key) → the last entry that changed it
    missing: dict[str, set[int]]  # key → the primary keys that are not there any more

    def why(self, record: models.Model, key: str, entry: Entry, now: Any) -> str:
        """Why `key`, which is `now`, stays as it is; '' when nothing speaks against putting it back."""
        old, new = (entry.old_values or {}), (entry.new_values or {})
        expected = values.from_json(type(record), key, new.get(key))
        if now != expected or self.later.get((record.pk, key), 0) > entry.id:
            return "was changed again since."
        return "pointed to something that is gone." if old[key] in self.missing.get(key, ()) else ""


def _changed_since(about: Subject, entries: list[Entry], by: Actor) -> dict[tuple[int, str], int]:
    later = _later(entries, by).filter(entity=about.entity, entity_id__in={entry.entity_id for entry in entries})
    found = later.filter(old_values__isnull=False).order_by("id").values_list("entity_id", "id", "old_values")
    return {(pk, key): entry_id for pk, entry_id, old in found for key in old}


def _missing_targets(model: type[models.Model], entries: list[Entry]) -> dict[str, set[int]]:
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        for key, old in (entry.old_values or {}).items():
            if old is not None and values.target(model, key):
                wanted.setdefault(key, set()).add(old)
    return {key: pks - _existing(model, key, pks) for key, pks in wanted.items()}


def _existing(model: type[models.Model], key: str, pks: set[int]) -> set[int]:
    target = values.target(model, key)
    return set(target._default_manager.filter(pk__in=pks).values_list("pk", flat=True)) if target else set()


def _put_back(about: Subject, record: models.Model | None, entry: Entry, held: _Held, undone: Undone) -> dict:
    if not entry.old_values:
        return {}
    if record is None:
        undone.kept.append((about.entity, entry.entity_id, "What was removed by an undo cannot be brought back."))
        return {}
    back = {}
    for key, old in entry.old_values.items():
        now, then = values.read(record, key), values.from_json(about.model, key, old)
        if now == then:
            continue
        why = held.why(record, key, entry, now)
        if not why:
            values.write(record, key, then)
            back[key] = old
        elif key not in about.following:
            undone.kept.append((about.entity, entry.entity_id, f"{values.label(about.model, key)} {why}"))
    return back


def _save(about: Subject, changed: dict[int, models.Model], inverted: list, undone: Undone) -> list:
    names = {values.model_field(about.model, key).name for _, _, back in inverted for key in back}
    for record in changed.values():
        if isinstance(record, Versioned):
            record.version += 1
            record.updated_at = clock.now()
            names |= {"version", "updated_at"}
    if _saves(about.model, list(changed.values()), names):
        return inverted
    clashing = {pk for pk, record in changed.items() if not _saves(about.model, [record], names)}
    undone.kept += [(about.entity, pk, "Another record uses its e-mail or external ID now.") for pk in clashing]
    return [row for row in inverted if row[0].entity_id not in clashing]


def _saves(model: type[models.Model], records: list[models.Model], names: set[str]) -> bool:
    """Whether no unique value is taken. Two records that swap one fail together and pass one after the other."""
    derived: set[str] = set()
    if deriving := [record for record in records if isinstance(record, Deriving)]:
        models.prefetch_related_objects(deriving, *deriving[0].DERIVES_FROM)
        derived = {name for record in deriving for name in record.derive()}
    try:
        with transaction.atomic():
            if names:
                model._default_manager.bulk_update(records, sorted(names | derived), batch_size=CHUNK)
    except IntegrityError:
        return False
    return True


def _recorded(about: Subject, inverted: list[tuple], undone: Undone, by: Actor) -> None:
    """An entry for each inverted one; its note is the event that it took back."""
    for event, group in groupby(inverted, key=lambda row: row[0].event):
        facts = [Fact(entry.entity_id, entry.person, old, new) for entry, old, new in group]
        record_each(f"{about.entity}.undone", facts, by=by, note=event)
    undone.reverted += len(inverted)
    put_back: dict[int, set[str]] = {}
    for entry, old, _ in inverted:
        put_back.setdefault(entry.entity_id, set()).update(old)
    for listener in _listeners if put_back else ():
        listener(inverted[0][0].change, about.entity, put_back, by)
