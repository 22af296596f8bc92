"""Merge duplicates into one record. To unmerge, undo the change."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.record import record, update_and_record
from contacts.addresses import (
    FIELDS,
    distinct,
    emails_of,
    fields_of_emails,
    fields_of_phones,
    key_of_email,
    key_of_phone,
    phones_of,
)
from contacts.axes import FURTHEST, LIFECYCLE, STATUS
from contacts.filling import filled, names
from contacts.hierarchy import chain
from contacts.hooks import move_attached
from contacts.models import Activity, Contact
from contacts.suppression import FOLLOWED, UNSUBSCRIBED
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.addresses import MOBILE, Address
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import force_move
from crm.records.validation import validate
from crm.records.writing import apply
from crm.users.visibility import lock

KEPT = {"external_id", "avatar", "lifecycle_stage", "status", "manager", "custom", *FIELDS}


@transaction.atomic
def merge(survivor: Contact, duplicates: QuerySet, *, by: Actor, choose: Mapping[str, Any] | None = None) -> Outcome:
    """Merge `duplicates` into `survivor`: they end in the trash, and all their records move to the survivor.

    The survivor keeps its values, blanks are filled from the duplicates in order, `choose` (field → value) settles the
    others. All addresses are kept: chosen ones first, then the survivor's, then the duplicates'. The most advanced
    stage wins, and a person unsubscribed at one address is not emailed at another. All of it is one change to undo.

    Raises Refused for a record that cannot be changed, Invalid without duplicates, and per field of `choose`.
    """
    chosen = validate("contact", choose or {}, by=by)
    if "status" in chosen:
        raise Invalid({"status": _("A merge doesn’t change the status. Change it before or after the merge.")})
    locked = lock(Contact.objects.filter(pk__in=[survivor.pk, *duplicates.values_list("pk", flat=True)]), by)
    locked.outcome.or_raise()
    others = Contact.objects.filter(pk__in=[pk for pk in locked.ids if pk != survivor.pk]).order_by("pk")
    if survivor.pk not in locked.ids or not others:
        raise Invalid(_("Choose a different contact to merge with."))
    survivor, rows, people = Contact.objects.get(pk=survivor.pk), Contact.objects.filter(pk=survivor.pk), list(others)
    _move_relations(survivor, others, by)
    _absorb(others, survivor, by)
    _take_furthest_stage(survivor, people, rows, by)
    latest = max(person.last_activity for person in (survivor, *people))
    changes = filled(survivor, people, KEPT) | {"last_activity": latest} | chosen
    changes |= _addresses([survivor, *people], chosen)
    changes["manager"] = _manager(survivor, people, chosen)
    if not apply("contact.merged", rows, changes, by=by, note=names(people)):
        record("contact.merged", rows, by=by, note=names(people))
    _stay_unsubscribed(people, rows, by)
    locked.outcome.done = [survivor.pk]
    return locked.outcome


def _move_relations(survivor: Contact, others: QuerySet, by: Actor) -> None:
    update_and_record("activity.updated", Activity.objects.filter(contact__in=others), {"contact": survivor.pk}, by=by)
    group = [survivor.pk, *others.values_list("pk", flat=True)]
    reports = Contact.objects.filter(manager__in=others).exclude(pk__in=group)
    held = list(reports.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    update_and_record("contact.updated", Contact.objects.filter(pk__in=held), {"manager": survivor.pk}, by=by)
    move_attached(survivor, others, by)


def _absorb(others: QuerySet, survivor: Contact, by: Actor) -> None:
    """Trash the duplicates first: their emails must be free before the survivor takes one.

    Contacts merged into them earlier follow, so that the survivor's timeline includes theirs.
    """
    ids = list(others.values_list("pk", flat=True))
    gone = {"deleted_at": clock.now(), "merged_into": survivor.pk}
    update_and_record("contact.absorbed", Contact.objects.filter(pk__in=ids), gone, by=by)
    before = Contact.objects.filter(merged_into__in=ids)
    update_and_record("contact.absorbed", before, {"merged_into": survivor.pk}, by=by)


def _addresses(people: list[Contact], chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields with the addresses of all people, those chosen for a field first."""
    emails = [email for person in people for email in emails_of(person.address_fields)]
    phones = [phone for person in people for phone in phones_of(person.address_fields)]
    emails = _first(Address(chosen.get("email", "")), emails, key_of_email)
    phones = _first(Address(chosen.get("phone", "")), phones, _number)
    phones = _first(Address(chosen.get("mobile", ""), MOBILE), phones, _number)
    return fields_of_emails(distinct(emails, key_of_email)) | fields_of_phones(distinct(phones, _number))


def _first(wanted: Address, addresses: list[Address], key: Callable[[Address], Any]) -> list[Address]:
    """Return the addresses with the wanted one, if any, also at the front, with its label."""
    same = [each for each in addresses if key(each) == key(wanted)] or [wanted]
    return [*same, *addresses] if wanted.value else addresses


def _number(phone: Address) -> tuple[str, bool]:
    """Return what makes two phones the same: a number may be in the fields phone and mobile."""
    return key_of_phone(phone), phone.label == MOBILE


def _manager(survivor: Contact, others: list[Contact], chosen: Mapping[str, Any]) -> int | None:
    """Return the survivor's manager: not in the group, and not a report of the survivor."""
    group = {survivor.pk, *(person.pk for person in others)}
    wanted = [chosen.get("manager"), survivor.manager_id, *(person.manager_id for person in others)]
    return next((pk for pk in wanted if pk and not group & chain(Contact, "manager", pk)), None)


def _take_furthest_stage(survivor: Contact, others: list[Contact], rows: QuerySet, by: Actor) -> None:
    furthest = max((person.lifecycle_stage for person in (survivor, *others)), key=FURTHEST.index)
    if furthest != survivor.lifecycle_stage:
        force_move(rows, LIFECYCLE, furthest, verb="merge", event="contact.updated", by=by, reason=names(others))


def _stay_unsubscribed(others: list[Contact], rows: QuerySet, by: Actor) -> None:
    if any(person.status == UNSUBSCRIBED for person in others):
        event, reason = "contact.status_changed", names(others)
        force_move(rows, STATUS, UNSUBSCRIBED, verb=FOLLOWED, event=event, by=by, reason=reason)
