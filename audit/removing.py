"""The half of undo that removes what a change made."""

from collections.abc import Sequence
from typing import Any

from django.db import models

from audit.models import Entry
from audit.staying import Staying
from audit.subjects import Subject, all_subjects
from audit.undone import POINTED_AT, Undone

Inverted = tuple[Entry, Any, Any]  # with the values before and after the undo


def remove(about: Subject, entries: Sequence[Entry], staying: Staying, undone: Undone) -> list[Inverted]:
    """Delete the records that the entries made, but for those that stay or that others point to."""
    rows, made = about.model._default_manager, {entry.entity_id for entry in entries}
    kept = {pk: staying.made[about.entity, pk] for pk in made if (about.entity, pk) in staying.made}
    for pk, why in sorted(kept.items()):
        if why:
            undone.keep(about.entity, [pk], why)
    gone = set(rows.filter(pk__any_of=made - kept.keys()).values_list("pk", flat=True))
    while pointed_at := _pointed_at(about.model, gone):
        gone -= pointed_at
        undone.keep(about.entity, pointed_at, POINTED_AT)
    rows.filter(pk__any_of=gone).delete()
    return [(entry, entry.new_values, None) for entry in entries if entry.entity_id in gone]


def _pointed_at(model: type[models.Model], ids: set[int]) -> set[int]:
    """Those of the records that others point to: they would be blocked, or their links silently emptied.

    What nobody audits and goes with its record, such as a score, does not count.
    """
    found: set[int] = set()
    audited = {about.model for about in all_subjects()}
    for link in (relation.field for relation in model._meta.related_objects if ids):
        if link.model not in audited and link.remote_field.on_delete is models.CASCADE:
            continue
        rows = link.model._default_manager.filter(**{f"{link.name}__pk__any_of": ids}).order_by()
        own = ids if link.model is model else set()
        found |= {target for pk, target in rows.values_list("pk", link.attname) if pk not in own}
    return found
