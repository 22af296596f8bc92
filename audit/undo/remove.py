"""Undo, part one: removal of records that a change made."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import models

from audit.models import Entry
from audit.subjects import Subject, all_subjects
from audit.undo.hooks import POINTED_AT, Undone
from audit.undo.staying import StayingRecords
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace_id
from crm.kit.sql import array_param

Inverted = tuple[Entry, Any, Any]  # with the values before and after the undo


def remove_records(about: Subject, entries: Sequence[Entry], staying: StayingRecords, undone: Undone) -> list[Inverted]:
    """Delete the records that the entries made, except those that stay or are referenced."""
    rows, made = about.model._default_manager, {entry.entity_id for entry in entries}
    staying_rows = {pk: staying.made[about.entity, pk] for pk in made if (about.entity, pk) in staying.made}
    for pk, why in sorted(staying_rows.items()):
        if why:
            undone.keep(about.entity, [pk], why)
    gone = set(rows.filter(pk__any_of=made - staying_rows.keys()).values_list("pk", flat=True))
    pointing = _pointing(about.model, gone)
    while pointed_at := {each.target for each in pointing if each.blocks}:
        gone -= pointed_at
        undone.keep(about.entity, pointed_at, POINTED_AT)
        pointing = _pointing(about.model, gone)
    _delete(about.model, gone, pointing)
    return [(entry, entry.new_values, None) for entry in entries if entry.entity_id in gone]


class _Pointing(NamedTuple):
    """A row that references a record. It blocks the deletion, or is deleted too if unaudited, e.g. a score."""

    link: models.ForeignObject
    pk: int
    target: int
    blocks: bool


def _pointing(model: type[models.Model], ids: set[int]) -> list[_Pointing]:
    """Return all rows that reference the records, except the records themselves: one cached query."""
    links = [relation.field for relation in model._meta.related_objects]
    if not ids or not links:
        return []

    def build(ids: str) -> models.QuerySet:
        first, *rest = (_rows(place, link, ids) for place, link in enumerate(links))
        return first.union(*rest, all=True)

    audited = {about.model for about in all_subjects()}
    found = run_cached(("pointing", model, workspace_id()), build, ids=array_param(ids))
    return [
        _Pointing(link, pk, target, link.model in audited or link.remote_field.on_delete is not models.CASCADE)
        for place, pk, target in found
        if not ((link := links[place]).model is model and pk in ids)
    ]


def _rows(place: int, link: models.ForeignObject, ids: str) -> models.QuerySet:
    rows = link.model._default_manager.filter(**{f"{link.name}__pk__any_of": ids}).order_by()
    return rows.values_list(models.Value(place), "pk", link.attname)


def _delete(model: type[models.Model], ids: set[int], pointing: Sequence[_Pointing]) -> None:
    """Delete records and their referencing rows, which are all known: Django would query for them again."""
    going: dict[type[models.Model], list[int]] = {}
    for each in pointing:
        going.setdefault(each.link.model, []).append(each.pk)
    for other, pks in going.items():
        other._default_manager.filter(pk__any_of=pks).delete()
    rows = model._default_manager.filter(pk__any_of=ids)
    rows._raw_delete(rows.db)
