"""Undo, part two: restoring old values."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from django.db import IntegrityError, connection, models, transaction

from audit import values
from audit.models import Entry
from audit.subjects import Subject
from audit.undo.hooks import GONE, MOVED_TOGETHER, TAKEN, Undone, on_check
from audit.undo.remove import Inverted
from audit.undo.standing import standing_changes
from audit.undo.staying import StayingRecords
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import update_rows
from crm.kit.translation import gettext as _


@runtime_checkable
class Versioned(Protocol):
    """A record that counts its changes."""

    version: int
    updated_at: datetime


@runtime_checkable
class Deriving(Protocol):
    """A record with derived columns, some of them over links."""

    DERIVES_FROM: tuple[str, ...]

    def derive(self) -> tuple[str, ...]:
        """Recompute them; return their names."""

    @classmethod
    def derived(cls, records: Collection[Any], changed: Collection[str]) -> None:
        """Update rows derived elsewhere. Raises IntegrityError for a taken unique value."""


@dataclass
class EntryReverter:
    """Reverter of changes to one entity. `moved` collects the contacts whose moves must stay."""

    about: Subject
    staying: StayingRecords
    undone: Undone
    by: Actor
    moved: set[int] = field(default_factory=set)

    def put_back(self, entries: Sequence[Entry]) -> list[Inverted]:
        """Restore old values where the new ones are still current; return the entries with the restored keys."""
        records = self.about.model._default_manager.in_bulk({entry.entity_id for entry in entries})
        reasons = _Reasons(
            self.about.model, _changed_since(self.about, entries, self.by), _invalid(self.about, entries, self.by)
        )
        inverted = []
        for entry in (entry for entry in entries if entry.old_values):
            record = records.get(entry.entity_id)
            if record is None:
                self.undone.keep(self.about.entity, [entry.entity_id], GONE)
            elif back := self._of_entry(entry, record, reasons):
                new = entry.new_values or {}
                inverted.append((entry, {key: new[key] for key in back}, back))
        return self._save(records, inverted)

    def _of_entry(self, entry: Entry, record: models.Model, reasons: "_Reasons") -> dict[str, Any]:
        """Restore the old values in memory; return them."""
        model, old = self.about.model, entry.old_values or {}
        then = {key: values.from_log(model, key, value) for key, value in old.items()}
        differing = [key for key in old if values.read_value(record, key) != then[key]]
        why = {key: sentence for key in differing if (sentence := reasons.against(record, key, entry))}
        self._keep_groups(entry, differing, why, reasons)
        self._keep_together(entry, differing, why)
        unsaid = self.about.following | (self.about.set_by_moves if self.about.moves & why.keys() else set())
        for key in (key for key in differing if key in why and key not in unsaid):
            sentence = _about_field(values.field_label(model, key), why[key])
            self.undone.keep(self.about.entity, [entry.entity_id], sentence)
        back = {key: old[key] for key in differing if key not in why}
        for key in back:
            values.write(record, key, then[key])
        return back

    def _keep_groups(self, entry: Entry, differing: Iterable[str], why: dict[str, str], reasons: "_Reasons") -> None:
        """Keep all of a group of fields if one of them must stay, or was changed by a later entry."""
        for group in self.about.together:
            changed = group.intersection(differing)
            if changed and (changed & why.keys() or any(reasons.is_later(entry, key) for key in group)):
                why.update(dict.fromkeys(changed - why.keys(), MOVED_TOGETHER))

    def _keep_together(self, entry: Entry, differing: Iterable[str], why: dict[str, str]) -> None:
        """Keep all of a move, with its dates, if a part of it or of its group must stay."""
        about = self.about
        if not about.moves & (entry.old_values or {}).keys():
            return
        place = [key for key in differing if key in about.moves | about.following]
        if place and self.staying.covers(entry, about.moves):
            sentence = MOVED_TOGETHER
        elif sentence := next((why[key] for key in place if key in why), ""):
            self._stays(entry)
        move = [*place, *(key for key in differing if key in about.set_by_moves)]
        why.update({key: sentence for key in move if sentence and key not in why})

    def leave(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._stays(entry)

    def _stays(self, entry: Entry) -> None:
        if entry.person and self.about.moves & (entry.old_values or {}).keys():
            self.moved.add(entry.person)

    def _save(self, records: dict[int, models.Model], inverted: list[Inverted]) -> list[Inverted]:
        names = {values.model_field(self.about.model, key).name for _, _, back in inverted for key in back}
        changed = [records[pk] for pk in dict.fromkeys(entry.entity_id for entry, _, _ in inverted)]  # newest first
        for record in changed:
            if isinstance(record, Versioned):
                record.version += 1
                record.updated_at = clock.now()
                names |= {"version", "updated_at"}
        clashing = _clashing(self.about.model, changed, names)
        self.undone.keep(self.about.entity, clashing, TAKEN)
        self.leave(entry for entry, _, _ in inverted if entry.entity_id in clashing)
        return [row for row in inverted if row[0].entity_id not in clashing]


@dataclass
class _Reasons:
    """Reasons against restoring a value: later changes, and values no longer valid."""

    model: type[models.Model]
    later: dict[tuple[int, str], int]  # (record, key) → the last entry that changed it
    invalid: dict[tuple[str, str], str]  # (key, value as JSON) → message

    def against(self, record: models.Model, key: str, entry: Entry) -> str:
        """Return why `key` must stay, with {field} for its label; '' if it can be restored."""
        expected = values.from_log(self.model, key, (entry.new_values or {}).get(key))
        if values.read_value(record, key) != expected or self.is_later(entry, key):
            return _("{field} was changed again afterwards.")
        return self.invalid.get((key, json.dumps((entry.old_values or {})[key])), "")

    def is_later(self, entry: Entry, key: str) -> bool:
        """Return whether a later entry changed `key` of the entry's record."""
        return self.later.get((entry.entity_id, key), 0) > entry.id


def _changed_since(about: Subject, entries: Sequence[Entry], by: Actor) -> dict[tuple[int, str], int]:
    """Map (record, key) to the last effective entry of another change."""
    ids = {entry.entity_id for entry in entries}
    others = Entry.objects.of_others(entries[0].change, by.change) if entries else Entry.objects.none()
    others = others.filter(entity=about.entity, entity_id__any_of=ids, old_values__isnull=False)
    return {(pk, key): change.entry for (_, pk, key), change in standing_changes(others).items()}


def _invalid(about: Subject, entries: Sequence[Entry], by: Actor) -> dict[tuple[str, str], str]:
    """Map (key, value as JSON) to why an old value is no longer valid: a deleted target, or a checker's message."""
    wanted: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for key, old in (entry.old_values or {}).items():
            if old not in (None, "", []):
                wanted.setdefault(key, {})[json.dumps(old)] = old
    given = {key: list(found.values()) for key, found in wanted.items()}
    wrong = (
        [item for checker in on_check for item in checker(about.entity, given, entries[0].change, by)] if given else []
    )
    invalid = {(key, json.dumps(value)): sentence for key, value, sentence in wrong}
    gone = ((key, pk) for key, pks in given.items() for pk in _missing(about.model, key, pks))
    return invalid | {(key, json.dumps(pk)): _("{field} linked to a record that no longer exists.") for key, pk in gone}


def _about_field(label: str, why: str) -> str:
    return why.replace("{field}", label) if "{field}" in why else f"{label} {why}"


def _missing(model: type[models.Model], key: str, pks: list[Any]) -> set[Any]:
    target = values.target(model, key)
    if target is None:
        return set()
    return set(pks) - set(target._default_manager.filter(pk__any_of=pks).values_list("pk", flat=True))


def _clashing(model: type[models.Model], records: list[models.Model], names: set[str]) -> set[int]:
    """Save the records; return those with taken unique values, found by bisecting failed batches.

    Records that swap a value fail together and pass one by one.
    """
    if not records or _saves(model, records, names):
        return set()
    if len(records) == 1:
        return {records[0].pk}
    middle = len(records) // 2
    return _clashing(model, records[:middle], names) | _clashing(model, records[middle:], names)


def _saves(model: type[models.Model], records: list[models.Model], names: set[str]) -> bool:
    derived: set[str] = set()
    if deriving := [record for record in records if isinstance(record, Deriving)]:
        models.prefetch_related_objects(deriving, *deriving[0].DERIVES_FROM)
        derived = {name for record in deriving for name in record.derive()}
    try:
        with transaction.atomic():
            fields = [values.model_field(model, name) for name in sorted(names | derived)]
            update_rows(model, [field.attname for field in fields], [_stored(record, fields) for record in records])
            if deriving:
                type(deriving[0]).derived(deriving, names)
    except IntegrityError:
        return False
    return True


def _stored(record: models.Model, fields: list[models.Field]) -> tuple:
    return (record.pk, *(_column(field, getattr(record, field.attname)) for field in fields))


def _column(field: models.Field, value: Any) -> Any:
    """Return the value for update_rows(), which takes JSON as text."""
    if isinstance(field, models.JSONField) and value is not None:
        return json.dumps(value, cls=field.encoder)
    return field.get_db_prep_save(value, connection)
