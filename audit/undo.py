"""undo(): invert one change, whatever it was: a bulk edit, an import, a merge, a move along the lifecycle.

The old values live in the entries and nowhere else. A value that was changed again since is kept, and so is a created
record that something has happened to since; both are listed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
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


@dataclass
class Undone:
    """How many entries were inverted, and (entity, id, sentence) for each that was kept."""

    reverted: int = 0
    kept: list[tuple[str, int, str]] = field(default_factory=list)


# Called with (change, entity, ids reverted, by) inside the transaction: lifecycle marks the transitions undone.
_listeners: list[Callable[[UUID, str, list[int], Actor], None]] = []


def on_undo(listener: Callable[[UUID, str, list[int], Actor], None]) -> None:
    """Let an upper app put right what it derives from a change that is undone."""
    _listeners.append(listener)


@transaction.atomic
def undo(change: UUID, *, by: Actor) -> Undone:
    """Put every record that `change` touched back as it was before, and record that.

    Raises Refused when there is nothing (left) to undo, NotAllowed when it is somebody else's change and the actor
    is not a manager.
    """
    entries = Entry.objects.filter(change=change).order_by("-id")
    _check(entries.first(), change, by)
    undone, last = Undone(), None
    while chunk := list(entries.filter(id__lt=last)[:CHUNK] if last else entries[:CHUNK]):
        last = chunk[-1].id
        for (entity, created), group in groupby(chunk, key=lambda entry: (entry.entity, _is_creation(entry))):
            invert = _remove if created else _revert
            invert(subject(entity), list(group), undone, by)
    if not undone.reverted:
        raise Refused("Nothing was undone: " + (undone.kept[0][2] if undone.kept else "it was undone before."))
    return undone


def _check(entry: Entry | None, change: UUID, by: Actor) -> None:
    if entry is None:
        raise Refused("There is nothing to undo.")
    if entry.member_id != by.member_id and not by.is_at_least(Role.MANAGER):
        raise NotAllowed("Only a manager can undo what somebody else did.")


def _is_creation(entry: Entry) -> bool:
    return entry.old_values is None and entry.new_values is not None


def _remove(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    ids = [entry.entity_id for entry in entries]
    touched = _touched_since(about, entries, by)
    alive = set(about.model.objects.filter(pk__in=ids).values_list("pk", flat=True))
    gone = []
    for entry in entries:
        if entry.entity_id in touched:
            undone.kept.append((about.entity, entry.entity_id, "Something has happened to it since."))
        elif entry.entity_id in alive:
            gone.append(entry)
    _delete(about, gone, undone, by)


def _touched_since(about: Subject, entries: list[Entry], by: Actor) -> set[int]:
    """Who has entries of other changes since; those that this undo wrote about the same record do not count."""
    ids, first = [entry.entity_id for entry in entries], min(entry.id for entry in entries)
    later = Entry.objects.filter(id__gt=first).exclude(change__in=[entries[0].change, by.change])
    touched = set(later.filter(entity=about.entity, entity_id__in=ids).values_list("entity_id", flat=True))
    if about.person == "pk":
        touched |= set(later.filter(person__in=ids).values_list("person", flat=True))
    return touched


def _delete(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    try:
        with transaction.atomic():
            about.model.objects.filter(pk__in=[entry.entity_id for entry in entries]).delete()
    except models.RestrictedError as error:
        blocked = {
            getattr(obj, f.attname) for obj in error.restricted_objects for f in obj._meta.fields if f.is_relation
        }
        free = [entry for entry in entries if entry.entity_id not in blocked]
        undone.kept += [(about.entity, e.entity_id, "Other records point to it.") for e in entries if e not in free]
        if len(free) < len(entries):
            _delete(about, free, undone, by)
        return
    _recorded(about, [(entry, entry.new_values, None) for entry in entries], undone, by)


def _revert(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    records = about.model.objects.select_for_update(of=("self",)).in_bulk([entry.entity_id for entry in entries])
    changed, keys, inverted = {}, set(), []
    for entry in entries:
        record = records.get(entry.entity_id)
        back = _put_back(record, entry, undone)
        if back:
            changed[record.pk] = record
            keys |= back.keys()
            inverted.append((entry, {key: entry.new_values[key] for key in back}, back))
    inverted = _save(about, changed, keys, inverted, undone)
    _recorded(about, inverted, undone, by)


def _put_back(record: models.Model | None, entry: Entry, undone: Undone) -> dict:
    if record is None or not entry.old_values:
        return {}
    model, back = type(record), {}
    for key, old in entry.old_values.items():
        if values.read(record, key) == values.from_json(model, key, entry.new_values.get(key)):
            values.write(record, key, values.from_json(model, key, old))
            back[key] = old
        else:
            undone.kept.append((entry.entity, entry.entity_id, f"{key} was changed again since."))
    return back


def _save(about: Subject, changed: dict, keys: set[str], inverted: list, undone: Undone) -> list:
    try:
        with transaction.atomic():
            _write(about.model, list(changed.values()), keys)
        return inverted
    except IntegrityError:
        clashing = {pk for pk, record in changed.items() if not _saves(about.model, record, keys)}
        undone.kept += [(about.entity, pk, "Another record uses its e-mail or external id now.") for pk in clashing]
        return [row for row in inverted if row[0].entity_id not in clashing]


def _saves(model: type[models.Model], record: models.Model, keys: set[str]) -> bool:
    try:
        with transaction.atomic():
            _write(model, [record], keys)
    except IntegrityError:
        return False
    return True


def _write(model: type[models.Model], records: list, keys: set[str]) -> None:
    names = {values.model_field(model, key).name for key in keys}
    if not names:
        return
    for record in records:
        if hasattr(record, "derive"):
            names |= set(record.derive())
        if hasattr(record, "version"):
            record.version += 1
            record.updated_at = clock.now()
            names |= {"version", "updated_at"}
    model.objects.bulk_update(records, sorted(names), batch_size=CHUNK)


def _recorded(about: Subject, inverted: list[tuple], undone: Undone, by: Actor) -> None:
    rows = [Fact(entry.entity_id, entry.person, old, new) for entry, old, new in inverted]
    record_each(f"{about.entity}.undone", rows, by=by, note=f"{inverted[0][0].event}" if inverted else "")
    undone.reverted += len(rows)
    ids = [entry.entity_id for entry, _, _ in inverted]
    for listener in _listeners if ids else ():
        listener(inverted[0][0].change, about.entity, ids, by)
