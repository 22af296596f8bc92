"""Closing of leads by imported history: customers, lost contacts, and won or lost opportunities.

Whatever the order and number of files, a lead ends according to the facts: converted to the first won opportunity,
otherwise to an open one, otherwise to a lost one.

Why: docs/decisions/0040-files-tell-the-past.md
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F

from audit.models import Entry
from audit.record import LogRow, record_rows
from audit.values import to_log
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.sql import update_rows
from crm.kit.translation import gettext as _
from crm.lifecycle.dated_moves import DatedMove, move_rows
from crm.lifecycle.models import Transition
from crm.lists.imports.registry import DerivedChanges, on_written
from crm.lists.models import ImportRun
from crm.opportunities.models import Opportunity
from leads.axes import OPEN, STATUS
from leads.converting import Converted, convert_each
from leads.models import Lead
from leads.open_leads import LOST, WON, ImportedLeads, open_as_imported, open_leads

DATES = ("created_at", "status_since", "stage_since")


class PastOpportunity(NamedTuple):
    """A contact's opportunity, and its lead, if any."""

    pk: int
    contact: int
    kind: str
    external_id: str
    created_at: datetime
    won_at: datetime | None
    lost_at: datetime | None
    lead: int | None

    @property
    def rank(self) -> tuple:
        kind = ("won", "open", "lost").index(self.kind)
        return kind, self.won_at or self.created_at, self.created_at, self.external_id, self.pk

    @property
    def closed_at(self) -> datetime:
        """Return when it was won or lost; for an open one its creation."""
        return self.won_at or self.lost_at or self.created_at


@contextmanager
def opening_leads(values: Mapping[int, Mapping[str, Any]], run: ImportRun, derived: DerivedChanges) -> Iterator[None]:
    """Create new contacts' leads in the block with their rows' values, closed for contacts past the prospect stages."""
    with open_as_imported(ImportedLeads(values, run.file_name, derived.counts)):
        yield


@on_written("contact")
def close_leads_of_settled_contacts(contacts: Sequence[Contact], run: ImportRun, by: Actor) -> DerivedChanges:
    """Close the leads of locked contacts imported as customers, churned or lost; create none for others."""
    past = _unfinished({each.pk: each for each in contacts if each.lifecycle_stage in (*WON, *LOST)})
    derived = DerivedChanges()
    if not past:
        return derived
    leads = _leads(past)
    _open_closed([contact for pk, contact in past.items() if pk not in leads], run, derived, by)
    due = {pk: lead for pk, lead in _open(leads).items() if _belongs(lead, leads[pk], past[pk].lifecycle_stage_since)}
    lost = [lead for pk, lead in due.items() if past[pk].lifecycle_stage in LOST]
    won = {pk: lead for pk, lead in due.items() if past[pk].lifecycle_stage in WON}
    _lose(lost, past, run, by)
    derived.add(_("Leads lost"), [lead.contact_id for lead in lost])
    deals = {pk: deal for pk, deal in _first_deals(won, set()).items() if deal.kind == "won"}
    derived.join(_convert({pk: (won[pk], deals[pk]) for pk in deals}, run, by))
    _win({pk: lead for pk, lead in won.items() if pk not in deals}, past, by)
    derived.add(_("Leads converted"), won.keys() - deals.keys())
    return derived


@on_written("opportunity")
def convert_leads_with_closed_opportunities(
    opportunities: Sequence[Opportunity], run: ImportRun, by: Actor
) -> DerivedChanges:
    """Convert leads of locked contacts with opportunities imported as won or lost.

    With an override reason also those of open ones, as a warning (DESIGN 3). A lead converted by an import moves to an
    opportunity that was won earlier if a file adds one.
    """
    derived = DerivedChanges()
    opportunities = [each for each in opportunities if each.contact_id]
    contacts = {each.contact_id for each in opportunities if run.override_reason or not each.is_open}
    if not run.override_reason:
        contacts -= _elsewhere(contacts)
    follow = {each.contact_id for each in opportunities}
    leads = _leads(follow)
    _date_back(leads, by)
    opened = {pk: lead for pk, lead in _open(leads).items() if pk in contacts}
    imported = _converted_by_imports(leads)
    deals = _first_deals([*opened, *imported], {lead.pk for lead in (*opened.values(), *imported.values())})
    chosen = {
        pk: (lead, deals[pk])
        for pk, lead in opened.items()
        if pk in deals and (run.override_reason or _belongs(lead, leads[pk], deals[pk].closed_at))
    }
    derived.join(_convert(chosen, run, by))
    changed = {
        pk: (lead, deals[pk])
        for pk, lead in imported.items()
        if pk in deals
        and pk not in chosen
        and deals[pk].pk != lead.opportunity_id
        and (lead.won_date is None or deals[pk].kind == "won")
    }
    _relink(changed, by)
    derived.add(_("Leads linked to another opportunity"), changed)
    return derived


def _unfinished(contacts: dict[int, Contact]) -> dict[int, Contact]:
    """Return contacts with an open lead or none ever: nearly none for a repeated file."""
    rows = Lead.objects.live().filter(contact__pk__any_of=list(contacts)).values_list("contact", "status")
    leads = list(rows) if contacts else []
    finished = {contact for contact, _ in leads} - {contact for contact, status in leads if status in OPEN}
    return {pk: contact for pk, contact in contacts.items() if pk not in finished}


def _elsewhere(contacts: Collection[int]) -> set[int]:
    """Return contacts that an opportunity does not make customers: lost, or partners."""
    rows = Contact.objects.filter(pk__any_of=list(contacts), lifecycle_stage__in=(*LOST, "partner"))
    return set(rows.values_list("pk", flat=True)) if contacts else set()


def _leads(contacts: Collection[int]) -> dict[int, list[Lead]]:
    found: defaultdict[int, list[Lead]] = defaultdict(list)
    rows = Lead.objects.live().filter(contact__pk__any_of=list(contacts)).order_by("created_at", "pk")
    for lead in rows.select_for_update(of=("self",)):
        found[lead.contact_id].append(lead)
    return found


def _open(leads: Mapping[int, list[Lead]]) -> dict[int, Lead]:
    return {pk: lead for pk, own in leads.items() for lead in own if lead.is_open}


def _belongs(lead: Lead, own: Sequence[Lead], closed_at: datetime) -> bool:
    """Return whether a closing at `closed_at` belongs to this cycle and not to an earlier one."""
    return len(own) == 1 or lead.created_at <= closed_at


def _converted_by_imports(leads: Mapping[int, list[Lead]]) -> dict[int, Lead]:
    """Return each contact's last lead, if converted by an import."""
    last = {pk: own[-1] for pk, own in leads.items() if own[-1].status == "converted"}
    moves = Transition.objects.filter(entity="lead", axis=STATUS.field, to_value="converted", channel=Channel.IMPORT)
    moves = moves.filter(record_id__any_of=[lead.pk for lead in last.values()], undone_by__isnull=True)
    deals = set(moves.values_list("record_id", flat=True))
    return {pk: lead for pk, lead in last.items() if lead.pk in deals}


def _first_deals(contacts: Collection[int], leads: set[int]) -> dict[int, PastOpportunity]:
    """Map each contact to the opportunity for its lead, among those linked to no other lead."""
    rows = Opportunity.objects.live().filter(contact__pk__any_of=list(contacts)) if contacts else ()
    names = ("pk", "contact", "stage_kind", "external_id", "created_at", "won_at", "lost_at", "lead")
    first: dict[int, PastOpportunity] = {}
    for deal in map(PastOpportunity._make, rows.values_list(*names) if contacts else ()):
        if (deal.lead is None or deal.lead in leads) and (
            deal.contact not in first or deal.rank < first[deal.contact].rank
        ):
            first[deal.contact] = deal
    return first


def _convert(chosen: Mapping[int, tuple[Lead, PastOpportunity]], run: ImportRun, by: Actor) -> DerivedChanges:
    converted = [Converted(lead, deal.pk, deal.created_at) for lead, deal in chosen.values()]
    if converted:
        severity = "warning" if run.override_reason else ""
        convert_each(converted, by=by, reason=run.override_reason, severity=severity)
    derived = DerivedChanges()
    derived.add(_("Leads converted"), chosen)
    return derived


def _relink(changed: Mapping[int, tuple[Lead, PastOpportunity]], by: Actor) -> None:
    facts, rows = [], []
    names = ("opportunity_id", "won_date", "converted_date", "status_since", "stage_since")
    for lead, deal in changed.values():
        values = (deal.pk, None, *[deal.created_at] * 3)
        old = {name.removesuffix("_id"): to_log(getattr(lead, name)) for name in names}
        new = {name.removesuffix("_id"): to_log(value) for name, value in zip(names, values, strict=True)}
        facts.append(LogRow(lead.pk, lead.contact_id, old, new))
        rows.append((lead.pk, *values, lead.version + 1, clock.now()))
    if rows:
        update_rows(Lead, [*names, "version", "updated_at"], rows)
        record_rows("lead.converted", facts, by=by)


def _win(leads: Mapping[int, Lead], contacts: Mapping[int, Contact], by: Actor) -> None:
    """Convert leads of customers without a known opportunity."""
    moved = [_dated(lead, contacts[pk].lifecycle_stage_since) for pk, lead in leads.items()]
    move_rows(STATUS, moved, verb="convert", event="lead.converted", by=by)


def _dated(lead: Lead, at: datetime) -> DatedMove:
    also = {"stage": "opportunity", "stage_since": at, "converted_date": at, "won_date": at}
    return DatedMove(lead, "converted", at, also)


def _lose(leads: Sequence[Lead], contacts: Mapping[int, Contact], run: ImportRun, by: Actor) -> None:
    reason = _("Imported from {file}").format(file=run.file_name)
    dates = ((lead, contacts[lead.contact_id].lifecycle_stage_since) for lead in leads)
    moved = [DatedMove(lead, "lost", at, {"lost_date": at, "lost_reason": reason}) for lead, at in dates]
    move_rows(STATUS, moved, verb="lose", event="lead.lost", by=by, reason=reason)


def _open_closed(contacts: Sequence[Contact], run: ImportRun, derived: DerivedChanges, by: Actor) -> None:
    """Create a closed lead for contacts that never had one."""
    with open_as_imported(ImportedLeads({}, run.file_name, derived.counts)):
        open_leads([(contact, min(contact.created_at, contact.lifecycle_stage_since)) for contact in contacts], by)
    derived.contacts |= {contact.pk for contact in contacts}


def _date_back(leads: Mapping[int, list[Lead]], by: Actor) -> None:
    """Backdate each contact's first imported lead to the contact's start, which may be earlier now."""
    first = {own[0].pk: own[0] for own in leads.values()}
    later = Lead.objects.filter(pk__any_of=list(first), created_at__gt=F("contact__created_at"))
    begun = dict(later.values_list("pk", "contact__created_at"))
    if not begun:
        return
    made = Entry.objects.filter(event="lead.created", entity="lead", entity_id__any_of=list(begun))
    facts, rows = [], []
    for pk in made.filter(channel=Channel.IMPORT).values_list("entity_id", flat=True):
        lead, before = first[pk], first[pk].created_at
        dates = DATES if lead.is_open else DATES[:1]
        changes = {key: begun[pk] for key in dates if getattr(lead, key) == before}
        old = {key: to_log(before) for key in changes}
        facts.append(LogRow(pk, lead.contact_id, old, {key: to_log(value) for key, value in changes.items()}))
        for key, value in changes.items():
            setattr(lead, key, value)
        lead.version, lead.updated_at = lead.version + 1, clock.now()
        rows.append((pk, *(getattr(lead, key) for key in DATES), lead.version, lead.updated_at))
    if rows:
        update_rows(Lead, [*DATES, "version", "updated_at"], rows)
        record_rows("lead.updated", facts, by=by)
