"""Merge duplicates into one record. Unmerging is the undo of the change."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import values as audited
from audit.record import change
from contacts.axes import FURTHEST, LIFECYCLE
from contacts.fields import SNAPSHOT, apply
from contacts.models import Activity, Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.lifecycle.move import write
from crm.users.visibility import lock

# Called with (survivor, duplicates, by): apps above move what they attach to a contact.
_movers: list[Callable[[Contact, QuerySet, Actor], None]] = []
KEPT = {"external_id", "avatar", "lifecycle_stage", "status"}


def on_merge(mover: Callable[[Contact, QuerySet, Actor], None]) -> None:
    """Let an upper app move its records from the duplicates to the survivor, recorded under the same change."""
    _movers.append(mover)


@transaction.atomic
def merge(survivor: Contact, duplicates: QuerySet, *, by: Actor, choose: Mapping[str, Any] | None = None) -> Outcome:
    """Make one person of several: `duplicates` end in the trash, everything of theirs moves to `survivor`.

    The survivor keeps its values, blanks are filled from the duplicates in their order, `choose` (storage key →
    value) settles the others. The stage that says most about the person stays. All of it is one change to undo.
    """
    locked = lock(Contact.objects.filter(pk__in=[survivor.pk, *duplicates.values_list("pk", flat=True)]), by)
    locked.outcome.or_raise()
    others = Contact.objects.filter(pk__in=[pk for pk in locked.ids if pk != survivor.pk]).order_by("pk")
    if survivor.pk not in locked.ids or not others:
        raise Invalid("Choose another contact to merge with.")
    survivor, rows, people = Contact.objects.get(pk=survivor.pk), Contact.objects.filter(pk=survivor.pk), list(others)
    _move_relations(survivor, others, by)
    _absorb(others, survivor, by)
    apply("contact.merged", rows, _filled(survivor, people) | dict(choose or {}), by=by, note=_names(people))
    _take_furthest_stage(survivor, people, rows, by)
    locked.outcome.done = [survivor.pk]
    return locked.outcome


def _move_relations(survivor: Contact, others: QuerySet, by: Actor) -> None:
    change("activity.updated", Activity.objects.filter(contact__in=others), {"contact": survivor.pk}, by=by)
    reports = Contact.objects.filter(manager__in=others)
    change("contact.updated", reports.exclude(pk=survivor.pk), {"manager": survivor.pk}, by=by)
    change("contact.updated", reports.filter(pk=survivor.pk), {"manager": None}, by=by)
    for mover in _movers:
        mover(survivor, others, by)


def _absorb(others: QuerySet, survivor: Contact, by: Actor) -> None:
    """Into the trash first: the e-mail of a duplicate must be free before the survivor can take it."""
    gone = {"deleted_at": clock.now(), "merged_into": survivor.pk}
    change("contact.absorbed", Contact.objects.filter(pk__in=list(others.values_list("pk", flat=True))), gone, by=by)


def _filled(survivor: Contact, others: list[Contact]) -> dict[str, Any]:
    keys = [key for key in SNAPSHOT["contact"] if key not in KEPT | {"custom"}]
    keys += sorted({f"custom.{key}" for other in others for key in other.custom})
    filled = {}
    for key in keys:
        values = [audited.read(person, key) for person in others if audited.read(person, key) not in ("", None)]
        if values and audited.read(survivor, key) in ("", None) and values[0] != survivor.pk:
            filled[key] = values[0]
    latest = max(person.last_activity for person in (survivor, *others))
    return filled | {"last_activity": latest}


def _names(people: list[Contact]) -> str:
    return ", ".join(person.name for person in people)


def _take_furthest_stage(survivor: Contact, others: list[Contact], rows: QuerySet, by: Actor) -> None:
    furthest = max((person.lifecycle_stage for person in (survivor, *others)), key=FURTHEST.index)
    if furthest != survivor.lifecycle_stage:
        write(rows, LIFECYCLE, furthest, verb="merge", event="contact.merged", by=by, reason=_names(others))
