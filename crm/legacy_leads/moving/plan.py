"""Plan of each legacy lead's result, per batch and without writing.

The rules are source 000's (Workspaces created before April 2026). Oldest first: of several leads on one contact or
email the first makes contact and opportunity, whatever the batches.

Why: docs/decisions/0048-migration-decides-from-the-tables.md
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet

from contacts.imports.matching import ids_of
from contacts.models import Contact
from crm.kit.text import email_key
from crm.kit.translation import gettext as _
from crm.legacy_leads.models import ACTIVE, LegacyLead
from crm.opportunities.models import Opportunity

Outcome = LegacyLead.Outcome
LABELS = dict(LegacyLead.STATUSES)


class OldLead(NamedTuple):
    """The values read of a legacy lead: model instances would double the cost of the migration."""

    pk: int
    public_id: str
    external_id: str
    name: str
    first_name: str
    last_name: str
    email: str
    phone: str
    company_name: str
    status: str
    source: str
    description: str
    estimated_value: Decimal | None
    currency: str
    contact_id: int | None
    owner_id: int | None
    team_id: int | None
    version: int
    created_at: datetime
    updated_at: datetime

    def __str__(self) -> str:
        return self.name or self.email or self.company_name or _("Unnamed legacy lead")

    deleted_at: datetime | None
    archived_at: datetime | None
    became_contact_id: int | None
    became_opportunity_id: int | None


def look(rows: QuerySet[LegacyLead]) -> list[OldLead]:
    """Read the leads in one statement."""
    return [OldLead._make(row) for row in rows.values_list(*OldLead._fields)]


@dataclass(slots=True)
class Person:
    """The contact for legacy leads: an existing one, or (None) created from the first.

    `email`: filled in on an existing contact without one. `made`: the created contact's key.
    """

    contact: Contact | None
    email: str = ""
    made: int = 0
    steps: list["PlannedLead"] = field(default_factory=list)

    @property
    def pk(self) -> int:
        return self.contact.pk if self.contact else self.made

    @property
    def active(self) -> list[OldLead]:
        return [step.lead for step in self.steps if step.lead.status in ACTIVE]

    def first(self, key: str) -> Any:
        return next((value for step in self.steps if (value := getattr(step.lead, key))), "")


@dataclass(slots=True)
class PlannedLead:
    """The planned result of a legacy lead: its contact, whether it makes an opportunity, and why not.

    `settled`: migrated or archived before this run, which does not count its value.
    """

    lead: OldLead
    outcome: str
    why: str = ""
    person: Person | None = None
    opportunity: bool = False
    value_note: str = ""
    settled: bool = False

    @property
    def contact(self) -> Contact | None:
        return self.person.contact if self.person else None


@dataclass
class Seen:
    """Results of earlier batches, for a dry run, where the database lacks them."""

    people: dict[str, Person] = field(default_factory=dict)  # by "mail <key>", "contact <pk>"
    with_opportunity: set[int] = field(default_factory=set)  # contacts
    looked_up: list[str] = field(default_factory=list)  # keys of people found in the database

    def know(self, key: str, person: Person) -> Person:
        """Add the database's person for `key`, unless one is known."""
        if key not in self.people:
            self.looked_up.append(key)
        return self.people.setdefault(key, person)

    def forget(self) -> None:
        """Drop, after a batch, the people found in the database, which may have changed."""
        for key in self.looked_up:
            if not self.people[key].email:
                del self.people[key]
        self.looked_up.clear()


def plan(leads: Sequence[OldLead], seen: Seen, *, include_lost: bool, hold: bool) -> list[PlannedLead]:
    """Return a step per lead, in order. `hold`: lock the joined contacts until the transaction ends."""
    contacts = _contacts(leads, hold=hold)
    _know(contacts.values(), seen)
    busy, by_us = _opportunities(contacts)
    steps = []
    for lead in leads:
        step = _left(lead, include_lost) or _moved(lead, contacts, seen)
        _value(step, busy, by_us, seen)
        steps.append(step)
    return steps


def _contacts(leads: Sequence[OldLead], *, hold: bool) -> dict[int, Contact]:
    """Return contacts that leads are linked to, became before, or share an email with, by key, trash included."""
    mails = {f"mail {email_key(lead.email)}" for lead in leads if lead.email}
    ids = ids_of(mails) if mails else set()
    ids |= {pk for lead in leads for pk in (lead.contact_id, lead.became_contact_id) if pk}
    rows = Contact.objects.filter(pk__any_of=list(ids)).select_related("company").order_by("pk")
    rows = rows.select_for_update(of=("self",)) if hold else rows
    return {contact.pk: contact for contact in rows} if ids else {}


def _know(contacts: Iterable[Contact], seen: Seen) -> None:
    for contact in contacts:
        if contact.deleted_at is None:
            person = seen.know(f"contact {contact.pk}", Person(contact))
            for key in contact.email_keys:
                seen.know(f"mail {key}", person)


def _opportunities(contacts: dict[int, Contact]) -> tuple[set[int], set[int]]:
    """Return the contacts with an opportunity, and those with one made from a legacy lead."""
    theirs = Opportunity.objects.live().filter(contact__pk__any_of=list(contacts))
    pairs = list(theirs.values_list("contact", "legacy_leads")) if contacts else []
    return {pk for pk, _ in pairs}, {pk for pk, lead in pairs if lead}


def _left(lead: OldLead, include_lost: bool) -> PlannedLead | None:
    """Return a step for a lead that stays; None for one to migrate."""
    if lead.archived_at and lead.became_contact_id:
        return PlannedLead(lead, Outcome.LEFT, _("Already migrated."), settled=True)
    if lead.archived_at:
        return PlannedLead(lead, Outcome.LEFT, _("Already archived."))
    if lead.deleted_at:
        return PlannedLead(lead, Outcome.LEFT, _("In the trash."))
    if lead.status in ACTIVE or (lead.status == "lost" and include_lost):
        return None
    return PlannedLead(lead, Outcome.LEFT, _("Not active: {status}.").format(status=LABELS[lead.status]))


def _moved(lead: OldLead, contacts: dict[int, Contact], seen: Seen) -> PlannedLead:
    linked = contacts.get(lead.contact_id or 0)
    if linked and linked.deleted_at:
        why = _("The linked contact is in the trash. Restore it, or link another contact.")
        return PlannedLead(lead, Outcome.REFUSED, why)
    mail = f"mail {email_key(lead.email)}" if lead.email else ""
    person, why = _joins(lead, mail, seen)
    if person is None and not (lead.name.strip() or lead.email):
        return PlannedLead(lead, Outcome.REFUSED, _("The lead has neither a name nor an email."))
    outcome = Outcome.REUSED if person else Outcome.CREATED
    person = person or Person(None)
    if mail and not person.email and (person.contact is None or not person.contact.email):
        person.email = lead.email if seen.people.setdefault(mail, person) is person else ""
    step = PlannedLead(lead, outcome, why, person)
    person.steps.append(step)
    return step


def _joins(lead: OldLead, mail: str, seen: Seen) -> tuple[Person | None, str]:
    """Return the person a lead joins, and why; None for a new one."""
    if person := seen.people.get(f"contact {lead.contact_id}"):
        return person, _("The lead was linked to this contact.")
    if person := seen.people.get(f"contact {lead.became_contact_id}"):
        return person, _("An earlier migration created this contact, and its undo kept it.")
    if mail and (person := seen.people.get(mail)):
        return person, _("The contact has the same email.")
    return None, ""


def _value(step: PlannedLead, busy: set[int], by_us: set[int], seen: Seen) -> None:
    """Decide on the lead's value: an opportunity, or a reason for none."""
    lead, linked = step.lead, step.lead.contact_id
    if not lead.estimated_value or step.settled:
        return
    if step.person is None:
        step.value_note = step.why
    elif lead.status not in ACTIVE:
        step.value_note = _("The lead was not active.")
    elif linked is None:
        step.value_note = _("No contact was linked to the lead.")
    elif linked in seen.with_opportunity or linked in by_us:
        step.value_note = _("An earlier lead of this contact created the opportunity.")
    elif linked in busy:
        step.value_note = _("The contact already has an opportunity.")
    else:
        step.opportunity = True
        seen.with_opportunity.add(linked)
