"""undo(): invert one change, whatever it was: a bulk edit, an import, a merge, a move along the lifecycle.

The old values live in the entries and nowhere else. A value that was changed again since is kept, and so is a created
record that something has happened to since; both are listed.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from django.db.models import Max

from audit import values
from audit.models import Entry
from audit.record import Fact, record_each
from audit.subjects import Subject, all_subjects, people, subject
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed, Refused
from crm.kit.present import housekeeping
from crm.kit.sql import update_rows

CHUNK = 2_000


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
Rule = Callable[[str, Sequence[Entry], Actor], Mapping[int, str]]
_rules: list[Rule] = []


Taker = Callable[[UUID, Actor], int]
_takers: list[Taker] = []


def on_take_back(taker: Taker) -> None:
    """Let an app take back rows that `change` made without an entry for each: called with (change, by), says how many.

    Before the entries are inverted, with the records of those locked.
    """
    _takers.append(taker)


def on_undo(listener: Listener) -> None:
    """Let an upper app put right what it derives from records: called with (change, entity, what was put back, by)."""
    _listeners.append(listener)


def hold_back(rule: Rule) -> None:
    """Let an upper app keep records as they are: asked with (entity, entries, by), it gives id → why not."""
    _rules.append(rule)


@transaction.atomic
def undo(change: UUID, *, by: Actor) -> Undone:
    """Put every record that `change` touched back as it was before, and record that.

    Raises Refused when there is nothing (left) to undo, or only settings (roles, guards, fields), which their own verbs
    change with their own checks; NotAllowed for a rep when it is somebody else's change, or nothing that it touched is
    theirs to change any more.
    """
    with housekeeping():  # whatever was touched, or points to what goes, is looked at for its own sake
        return _undo(change, by)


def _undo(change: UUID, by: Actor) -> Undone:
    entries = Entry.objects.filter(change=change).order_by("-id")
    _check(entries, by)
    _lock(entries)
    undone = Undone(sum(taker(change, by) for taker in _takers))
    for chunk in _chunks(entries):
        for (entity, created), group in groupby(chunk, key=lambda entry: (entry.entity, _is_creation(entry))):
            about = subject(entity)
            invert = _keep if _is_setting(about) else _remove if created else _revert
            invert(about, list(group), undone, by)
    if not undone.reverted:
        why = undone.kept[0][2] if undone.kept else "There is nothing left to take back."
        raise Refused(f"Nothing was undone. {why}")
    return undone


def _chunks(entries: models.QuerySet) -> Iterator[list[Entry]]:
    """The entries, newest first. Their ids are read once: to sort a million of them for every chunk takes hours."""
    ids = array("q", entries.values_list("id", flat=True).iterator())
    for start in range(0, len(ids), CHUNK):
        yield list(Entry.objects.filter(id__any_of=ids[start : start + CHUNK]).order_by("-id"))


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
    held = _held_back(about, entries, undone, by)
    entries = [entry for entry in entries if entry.entity_id not in held]
    if not entries:
        return
    touched = _touched_since(about, entries, by)
    undone.kept += [(about.entity, pk, "Something has happened to it since.") for pk in sorted(touched)]
    staying = _staying(entries, by) if about.person != "pk" else set()
    gone = {entry.entity_id for entry in entries if entry.person not in staying} - touched
    gone &= set(about.model._default_manager.filter(pk__in=gone).values_list("pk", flat=True))
    while pointed_at := _pointed_at(about.model, gone):
        gone -= pointed_at
        undone.kept += [(about.entity, pk, "Other records point to it.") for pk in sorted(pointed_at)]
    about.model._default_manager.filter(pk__in=gone).delete()
    inverted = [(entry, entry.new_values, None) for entry in entries if entry.entity_id in gone]
    _recorded(about, inverted, undone, by)


def _held_back(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> set[int]:
    """The records that a rule keeps as they are; listed with its sentence."""
    kept = {pk: why for rule in _rules for pk, why in rule(about.entity, entries, by).items()}
    undone.kept += [(about.entity, pk, why) for pk, why in kept.items()]
    return set(kept)


def _staying(entries: list[Entry], by: Actor) -> set[int]:
    """People made by the same change who cannot be removed: what was made with them stays with them."""
    persons = people()
    concerned = {entry.person for entry in entries} - {None}
    made = Entry.objects.filter(entity=persons.entity, entity_id__any_of=concerned, old_values__isnull=True)
    made = [entry for entry in made.filter(new_values__isnull=False) if entry.change == entries[0].change]
    if not made:
        return set()
    touched = _touched_since(persons, made, by)
    return touched | _pointed_at(persons.model, {entry.entity_id for entry in made} - touched, but_by=made[0].change)


def _touched_since(about: Subject, entries: list[Entry], by: Actor) -> set[int]:
    """Who has entries of other changes since; those that this undo wrote about the same records do not count."""
    ids, first = [entry.entity_id for entry in entries], min(entry.id for entry in entries)
    others = _of_others(entries, by)
    found = [others.filter(entity=about.entity, entity_id__any_of=ids).values_list("entity_id")]
    if about.person == "pk":
        found.append(others.filter(person__any_of=ids).values_list("person"))
    return {pk for rows in found for pk, latest in rows.annotate(Max("id")) if latest > first}


def _of_others(entries: list[Entry], by: Actor) -> models.QuerySet:
    """Entries of other changes; which are later is compared in Python.

    The planner would go through all that was written since rather than through the records' own.
    """
    return Entry.objects.order_by().exclude(change__in=[entries[0].change, by.change])


def _pointed_at(model: type[models.Model], ids: set[int], but_by: UUID | None = None) -> set[int]:
    """Those of the records that others point to: they would be blocked, or their links silently emptied.

    What nobody audits and goes with its record, such as a score, does not count; nor what the change `but_by` made.
    """
    found: set[int] = set()
    entities = {about.model: about.entity for about in all_subjects()}
    for link in (relation.field for relation in model._meta.related_objects):
        entity = entities.get(link.model)
        if entity is None and link.remote_field.on_delete is models.CASCADE:
            continue
        rows = link.model._default_manager.filter(**{f"{link.name}__pk__any_of": ids}).order_by()
        pointing = dict(rows.values_list("pk", link.attname))
        made = _made(entity or "", pointing, but_by) | (ids if link.model is model else set())
        found |= {pk for row, pk in pointing.items() if row not in made}
    return found


def _made(entity: str, ids: Iterable[int], change: UUID | None) -> set[int]:
    """Those of the records that `change` made."""
    made = Entry.objects.filter(entity=entity, entity_id__any_of=ids, old_values__isnull=True).order_by()
    # Compared here: the planner would go through all that the change wrote.
    return {pk for pk, own in made.values_list("entity_id", "change") if own == change} if change and ids else set()


def _revert(about: Subject, entries: list[Entry], undone: Undone, by: Actor) -> None:
    records = about.model._default_manager.in_bulk([entry.entity_id for entry in entries])
    held = _Held(_changed_since(about, entries, by), _missing_targets(about.model, entries))
    changed: dict[int, models.Model] = {}
    inverted = []
    kept = _held_back(about, entries, undone, by)
    for entry in (entry for entry in entries if entry.entity_id not in kept):
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
    ids = {entry.entity_id for entry in entries}
    others = _of_others(entries, by).filter(entity=about.entity, entity_id__any_of=ids, old_values__isnull=False)
    found = others.order_by("id").values_list("entity_id", "id", "old_values")
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
        undone.kept.append((about.entity, entry.entity_id, "It was removed for good: there is nothing to put back."))
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
    clashing = _clashing(about.model, list(changed.values()), names)
    undone.kept += [(about.entity, pk, "Another record uses its e-mail, external ID or place now.") for pk in clashing]
    return [row for row in inverted if row[0].entity_id not in clashing]


def _clashing(model: type[models.Model], records: list[models.Model], names: set[str]) -> set[int]:
    """Save the records, and name those whose unique values are taken: halves of what fails are tried, down to one.

    Two records that swap a value fail together and pass one after the other.
    """
    if not records or _saves(model, records, names):
        return set()
    if len(records) == 1:
        return {records[0].pk}
    middle = len(records) // 2
    return _clashing(model, records[:middle], names) | _clashing(model, records[middle:], names)


def _saves(model: type[models.Model], records: list[models.Model], names: set[str]) -> bool:
    """Whether no unique value is taken."""
    derived: set[str] = set()
    if deriving := [record for record in records if isinstance(record, Deriving)]:
        models.prefetch_related_objects(deriving, *deriving[0].DERIVES_FROM)
        derived = {name for record in deriving for name in record.derive()}
    try:
        with transaction.atomic():
            fields = [values.model_field(model, name) for name in sorted(names | derived)]
            update_rows(model, [field.attname for field in fields], [_stored(record, fields) for record in records])
    except IntegrityError:
        return False
    return True


def _stored(record: models.Model, fields: list[models.Field]) -> tuple:
    return (record.pk, *(_column(field, getattr(record, field.attname)) for field in fields))


def _column(field: models.Field, value: Any) -> Any:
    """As update_rows() takes it, which is JSON as text."""
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder)
    return field.get_db_prep_save(value, connection)


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
