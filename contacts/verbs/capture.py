"""Capture prospects from a form, a scan or a browser extension."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audit import values as audited
from audit.record import record
from contacts.domains import with_companies
from contacts.engagement import NewEngagement, store
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.text import email_key
from crm.kit.translation import gettext as _
from crm.records.validation import validate
from crm.records.writing import apply, build, insert_records
from crm.users.visibility import may_edit


@transaction.atomic
def capture(people: Sequence[Mapping[str, Any]], *, by: Actor, source: str) -> Outcome:
    """Record people from `source` (source 002, capture): one contact per email, also when captures race.

    A new person becomes a Lead owned by the actor, by default at the company whose domain the email has. A known one
    keeps stage and values; blanks are filled if the actor may change the contact. It counts as engagement: a demo
    request if the source says so, otherwise a form.
    `Outcome.done` lists the contacts in the order of `people`. Raises Invalid with a message per field, NotAllowed for
    a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t capture contacts."))
    wanted = [validate("contact", {"source": source} | dict(values), by=by, new=True) for values in people]
    keys = [email_key(values.get("email", "")) or index for index, values in enumerate(wanted)]
    for _attempt in range(3):
        known = _locked([key for key in keys if isinstance(key, str)])
        first = {key: values for key, values in reversed([*zip(keys, wanted, strict=True)]) if key not in known}
        with_companies(first.values(), by)
        fresh = {key: build(Contact, values, by) for key, values in reversed(first.items())}
        if _added(fresh, by, source):
            break
    else:
        raise Invalid({"external_id": _("A contact with this external ID already exists.")})
    people_by_key = known | fresh
    for key, values in zip(keys, wanted, strict=True):
        if values is not first.get(key):
            _fill(people_by_key[key], values, by, source)
    kind, now = ("demo_request" if "demo" in source.lower() else "form_submitted"), clock.now()
    store([NewEngagement(pk, kind, now) for pk in sorted({people_by_key[key].pk for key in keys})], by=by)
    return Outcome(by.change, [people_by_key[key].pk for key in keys])


def _locked(keys: list[str]) -> dict[Any, Contact]:
    rows = Contact.objects.live().filter(email_key__in=keys).order_by("pk").select_for_update(of=("self",))
    return {contact.email_key: contact for contact in rows} if keys else {}


def _added(fresh: Mapping[Any, Contact], by: Actor, source: str) -> bool:
    try:
        insert_records(list(fresh.values()), "contact.captured", by=by, verb="capture", note=source)
    except IntegrityError:
        # A concurrent capture inserted one of them between our read and insert: read again.
        return False
    return True


def _fill(contact: Contact, values: Mapping[str, Any], by: Actor, source: str) -> None:
    rows = Contact.objects.filter(pk=contact.pk)
    contact = rows.get()  # reloaded: a person may occur twice
    empty = {key for key in values.keys() - {"manager"} if audited.read_value(contact, key) in ("", None)}
    blanks = {key: value for key, value in values.items() if key in empty and value not in ("", None)}
    if blanks and may_edit(contact, by):
        apply("contact.captured", rows, blanks, by=by, note=source)
    else:
        record("contact.captured", rows, by=by, note=source)
