"""Execution of a batch of steps: contacts, cycles, opportunities and archiving, set-based."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from audit.record import LogRow, record_rows
from audit.values import to_log
from contacts.imports import companies
from contacts.imports.creating import create_each as create_contacts
from contacts.imports.matching import Match
from contacts.models import Company
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.sql import insert_rows, update_rows
from crm.kit.text import digits, search_key
from crm.kit.translation import gettext as _
from crm.legacy_leads.models import LegacyLead, MigrationRun, MovedLead
from crm.legacy_leads.moving.cycles import fill_cycles, open_cycles, write_lost_cycles
from crm.legacy_leads.moving.plan import OldLead, Person, PlannedLead
from crm.lists.imports.registry import IncomingRow
from crm.lists.models import ImportRun, OnMatch
from crm.opportunities.imports.matching import OpportunityMatch as Deal
from crm.opportunities.imports.writing import create_each as create_opportunities
from crm.opportunities.models import Opportunity
from crm.records.writing import apply_each
from crm.users.models import Membership

CALLED_BY = ("name", "first_name", "last_name", "email", "phone", "source")
FILLED = ("phone", "source", "first_name", "last_name")  # filled in on existing contacts if blank


def carry_out(steps: Sequence[PlannedLead], run: MigrationRun, by: Actor) -> None:
    """Write `steps` (planned with their contacts locked), in the caller's transaction.

    Raises IntegrityError if an email was taken meanwhile: plan again.
    """
    people = list({id(step.person): step.person for step in steps if step.person}.values())
    fresh = [person for person in people if person.contact is None]
    there = [person for person in people if person.contact]
    working = set(Membership.objects.active().values_list("pk", flat=True))
    placed = _companies(people, by)
    _create(fresh, placed, working, by)
    _fill(there, placed, working, by)
    open_cycles(there, by)
    fill_cycles(people, by)
    write_lost_cycles([person for person in fresh if not person.active], by)
    made = _create_opportunities([step for step in steps if step.opportunity], working, by)
    _archive(steps, made, run, by)


def _companies(people: Iterable[Person], by: Actor) -> dict[int, Company | None]:
    """Return the company of each person (by id()) without one; ambiguous names give none."""
    matches = []
    for line, person in enumerate(people):
        name = person.first("company_name")
        if name and (person.contact is None or person.contact.company_id is None):
            matches.append(Match(IncomingRow(line, [], {"company": name}, {}), person.contact))
    if refused := companies.resolve(matches, OnMatch.FILL, by):
        matches = [match for match in matches if match.row.line not in refused]
        companies.resolve(matches, OnMatch.FILL, by)
    found = {match.row.line: match.company for match in matches}
    return {id(person): found.get(line) for line, person in enumerate(people)}


def _create(fresh: Sequence[Person], placed: dict[int, Company | None], working: set[int], by: Actor) -> None:
    """Create the contacts and set them on each person."""
    matches = [
        Match(IncomingRow(line, [], _values(person, working), {}), None, placed[id(person)])
        for line, person in enumerate(fresh)
    ]
    for person, pk in zip(fresh, create_contacts(matches, by, note=_("legacy leads")), strict=True):
        person.made = pk


def _values(person: Person, working: set[int]) -> dict[str, Any]:
    """Return a new contact's values: named by its first lead, described by all."""
    first = person.steps[0].lead
    own = {key: getattr(first, key) or person.first(key) for key in CALLED_BY}
    own |= {"name": first.name, "notes": notes(person, ""), "created_at": first.created_at, "team": first.team_id}
    own |= {"lifecycle_stage": "lead" if person.active else "lost"}
    owner = next((step.lead.owner_id for step in person.steps if step.lead.owner_id in working), None)
    values = {key: value for key, value in own.items() if value not in ("", None)}
    return values | ({"owner": owner} if owner else {})


def notes(person: Person, before: str) -> str:
    """Return the notes with source and description of each of the person's leads, oldest first."""
    notes = [before.rstrip()] if before.strip() else []
    for lead in (step.lead for step in person.steps):
        said = [_("Source: {source}").format(source=lead.source)] if lead.source else []
        said += [lead.description.strip()] if lead.description.strip() else []
        notes += ["\n".join(said)] if said else []
    return "\n\n".join(notes)


def _fill(there: Sequence[Person], placed: dict[int, Company | None], working: set[int], by: Actor) -> None:
    """Fill in blanks of existing contacts and append to their notes; other values stay."""
    changed = []
    for person, contact in ((person, person.contact) for person in there if person.contact):
        changes: dict[str, Any] = {"notes": notes(person, contact.notes)}
        changes |= {key: person.first(key) for key in FILLED if not getattr(contact, key)} | {"email": person.email}
        if company := placed[id(person)]:
            changes["company"] = company
        owner = next((step.lead.owner_id for step in person.steps if step.lead.owner_id in working), None)
        if owner and contact.owner_id is None:
            changes["owner"] = owner
        changes = {key: v for key, v in changes.items() if v and v != getattr(contact, key, None)}
        if changes:
            changed.append((contact, changes))
    apply_each(changed, by=by)


def _create_opportunities(steps: Sequence[PlannedLead], working: set[int], by: Actor) -> dict[int, int]:
    """Create an opportunity at Qualification per step; return legacy lead → key.

    Raises Refused if amounts are missing.
    """
    deals = [Deal(IncomingRow(line, [], _deal(step, working), {}), step.contact) for line, step in enumerate(steps)]
    create_opportunities(deals, {}, ImportRun(), by)
    made = {step.lead.pk: deal.opportunity.pk for step, deal in zip(steps, deals, strict=True) if deal.opportunity}
    total = Opportunity.objects.filter(pk__any_of=list(made.values())).aggregate(total=Sum("amount"))["total"]
    wanted = sum((step.lead.estimated_value or Decimal() for step in steps), Decimal())
    if round(total or Decimal(), 2) != wanted:
        sentence = _("The opportunities add up to {total}, the leads to {wanted}. This batch was not saved.")
        raise Refused(sentence.format(total=formats.number(total or 0), wanted=formats.number(wanted)))
    return made


def _deal(step: PlannedLead, working: set[int]) -> dict[str, Any]:
    lead, contact = step.lead, step.contact
    name = ", ".join(filter(None, (str(contact and (contact.company or contact)), lead.source)))[:200]
    own = {"name": name, "stage": "qualification", "amount": lead.estimated_value, "currency": lead.currency}
    owner = lead.owner_id if lead.owner_id in working else contact and contact.owner_id
    return own | {"source": lead.source} | ({"owner": owner} if owner else {})


def _archive(steps: Sequence[PlannedLead], made: dict[int, int], run: MigrationRun, by: Actor) -> None:
    """Record each lead's result; archive migrated ones, with entries."""
    now = clock.now()
    facts, rows, moved, stayed = [], [], [], []
    for step in steps:
        lead, since = step.lead, step.lead.updated_at
        became = tuple(getattr(lead, name) for name in BECAME)
        if step.person:
            before, became = became, (now, step.person.pk, made.get(lead.pk))
            facts.append(_fact(step, before, became))
            moved.append((*_whose(lead), became[1], _told(step, now)))
            since = now
        elif not step.settled and lead.deleted_at is None:
            stayed.append((*_whose(lead), _kept(step)))
        said = (run.pk, step.outcome, step.why, step.value_note)
        rows.append((lead.pk, *said, *became, lead.version + bool(step.person), since))
    update_rows(LegacyLead, WRITTEN, rows)
    # Left by an earlier run, and checked again by this one.
    MovedLead.objects.filter(lead__any_of=[step.lead.pk for step in steps], contact__isnull=True).delete()
    insert_rows(MovedLead, (*WHOSE, "contact_id", "told"), moved, {"run_id": run.pk})
    insert_rows(MovedLead, (*WHOSE, "told"), stayed, {"run_id": run.pk})
    record_rows("legacy_lead.migrated", facts, by=by)


def _fact(step: PlannedLead, before: tuple, after: tuple) -> LogRow:
    differing = [each for each in zip(FIELDS, before, after, strict=True) if each[1] != each[2]]
    old, new = ({each[0]: to_log(each[place]) for each in differing} for place in (1, 2))
    return LogRow(step.lead.pk, after[1], old, new)


def _told(step: PlannedLead, now: datetime) -> str:
    facts = {name: to_log(getattr(step.lead, name)) for name in TOLD}
    return json.dumps(facts | {"archived_at": to_log(now), "value_note": step.value_note})


def _whose(lead: OldLead) -> tuple:
    found_by = (lead.name, lead.email, digits(lead.phone), lead.company_name)
    searched = " ".join(filter(None, map(search_key, found_by)))
    return lead.public_id, lead.name, lead.owner_id, lead.team_id, lead.pk, searched


def _kept(step: PlannedLead) -> str:
    """Return the facts kept of a lead that was not migrated."""
    facts = {name: to_log(getattr(step.lead, name)) for name in (*TOLD, *KEPT)}
    return json.dumps(facts | {"value_note": step.value_note, "why": step.why})


TOLD = ("name", "status", "estimated_value", "currency", "source", "created_at")
FIELDS = ("archived_at", "became_contact", "became_opportunity")
BECAME = ("archived_at", "became_contact_id", "became_opportunity_id")
WRITTEN = ("run_id", "outcome", "outcome_note", "value_note", *BECAME, "version", "updated_at")
WHOSE = ("public_id", "name", "owner_id", "team_id", "lead", "search_text")
KEPT = ("archived_at", "external_id", "email", "phone", "company_name", "description")  # and TOLD
