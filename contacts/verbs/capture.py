"""Capture prospects from a form, a scan or a browser extension."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audit import values as audited
from audit.record import record
from contacts.addresses import key_of_email
from contacts.domains import with_companies
from contacts.engagement import NewEngagement, store
from contacts.finding import email_keys, owners_of, with_emails
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.addresses import read_addresses, write_addresses
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.validation import validate
from crm.records.writing import apply, build, insert_records
from crm.users.visibility import may_edit


@transaction.atomic
def capture(people: Sequence[Mapping[str, Any]], *, by: Actor, source: str) -> Outcome:
    """Record people from `source` (source 002, capture): one contact per email, also when captures race.

    Any of a contact's emails finds it. A new person becomes a Lead owned by the actor, by default at the company whose
    domain the email has. A known one keeps stage and values; blanks are filled if the actor may change the contact. It
    counts as engagement: a demo request if the source says so, otherwise a form.
    `Outcome.done` lists the contacts in the order of `people`. Raises Invalid with a message per field, NotAllowed for
    a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t capture contacts."))
    wanted = [validate("contact", {"source": source} | dict(values), by=by, new=True) for values in people]
    for _attempt in range(3):
        try:
            matches, fresh = _found_or_added(wanted, by, source)
            break
        except IntegrityError:
            # A concurrent capture or merge took one of the emails between our read and insert: read again.
            continue
    else:
        raise Invalid({"external_id": _("A contact with this external ID already exists.")})
    new = {id(contact) for contact in fresh}
    for contact, values in zip(matches, wanted, strict=True):
        if id(contact) in new:
            new.remove(id(contact))  # created from these values; further ones only fill its blanks
        else:
            _fill(contact, values, by, source)
    kind, now = ("demo_request" if "demo" in source.lower() else "form_submitted"), clock.now()
    store([NewEngagement(pk, kind, now) for pk in sorted({contact.pk for contact in matches})], by=by)
    return Outcome(by.change, [contact.pk for contact in matches])


@transaction.atomic
def _found_or_added(wanted: Sequence[dict[str, Any]], by: Actor, source: str) -> tuple[list[Contact], list[Contact]]:
    """Return each person's contact, locked or added, and the added ones. Raises IntegrityError for a taken email.

    In a savepoint, so that a failed attempt gives its locks back: the next may need others before them, and a merge
    that holds those would wait for these.
    """
    known = _locked({key for values in wanted for key in email_keys(values)})
    with_companies([values for values in wanted if not known.keys() & {*email_keys(values)}], by)
    matches, fresh = _matched(wanted, known, by)
    insert_records(fresh, "contact.captured", by=by, verb="capture", note=source)
    return matches, fresh


def _locked(keys: Collection[str]) -> dict[str, Contact]:
    """Return the contacts with these emails by each of their emails, locked."""
    people = owners_of(keys).order_by("pk").select_for_update(of=("self",)) if keys else ()
    return {key: contact for contact in people for key in contact.email_keys}


def _matched(
    wanted: Sequence[Mapping[str, Any]], known: Mapping[str, Contact], by: Actor
) -> tuple[list[Contact], list[Contact]]:
    """Return each person's contact, found by an email or built, and the built ones. An email stays with the first."""
    people, matches, fresh = dict(known), [], []
    for values in wanted:
        keys = email_keys(values)
        contact = next((people[key] for key in keys if key in people), None)
        if contact is None:
            contact = build(Contact, values, by)
            fresh.append(contact)
        people = dict.fromkeys(keys, contact) | people
        matches.append(contact)
    return matches, fresh


def _fill(contact: Contact, values: Mapping[str, Any], by: Actor, source: str) -> None:
    rows = Contact.objects.filter(pk=contact.pk)
    contact = rows.get()  # reloaded: a person may occur twice
    values = {**values, **_free_emails(values, contact)}
    empty = {key for key in values.keys() - {"manager"} if audited.read_value(contact, key) in ("", None)}
    blanks = {key: value for key, value in values.items() if key in empty and value not in ("", None)}
    if blanks and may_edit(contact, by):
        apply("contact.captured", rows, blanks, by=by, note=source)
    else:
        record("contact.captured", rows, by=by, note=source)


def _free_emails(values: Mapping[str, Any], contact: Contact) -> dict[str, str]:
    """Return the other emails among the values, without those that the contact or another one already has."""
    others = read_addresses(values.get("other_emails") or "")
    taken = with_emails(map(key_of_email, others)).keys() | set(contact.email_keys)
    return (
        {"other_emails": write_addresses(each for each in others if key_of_email(each) not in taken)} if others else {}
    )
