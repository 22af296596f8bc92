"""Cycles of migrated contacts: created, filled in from legacy leads, and moved to their state."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from audit.record import LogRow, record_rows
from audit.values import to_log
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.sql import as_stored, update_rows
from crm.kit.translation import gettext as _
from crm.legacy_leads.models import ACTIVE
from crm.legacy_leads.moving.plan import OldLead, Person
from crm.lifecycle.dated_moves import DatedMove, move_rows, write_transitions
from leads.axes import STATUS
from leads.models import Lead, found_by
from leads.open_leads import PROSPECTS, Prospect, open_leads
from leads.staging import restage


class OpenCycle(NamedTuple):
    """The values read of an open, locked cycle."""

    pk: int
    contact_id: int
    created_at: datetime
    campaign: str
    version: int
    status: str
    status_since: datetime
    contacted_at: datetime | None
    source: str
    search_text: str
    description: str
    external_id: str
    estimated_value: Decimal | None
    currency: str


WRITTEN = OpenCycle._fields[OpenCycle._fields.index("version") :]


def open_cycles(there: Iterable[Person], by: Actor) -> None:
    """Create a cycle for each existing prospect without an open one."""
    prospects = {
        person.contact: person
        for person in there
        if person.contact and person.contact.lifecycle_stage in PROSPECTS and person.active
    }
    theirs = Lead.objects.live().filter(contact__pk__any_of=[contact.pk for contact in prospects])
    known = list(theirs.values_list("contact", "status"))
    open_now, any_at_all = {pk for pk, status in known if status in ACTIVE}, {pk for pk, _ in known}
    now = clock.now()
    people = [
        (contact, now if contact.pk in any_at_all else min(step.lead.created_at for step in person.steps))
        for contact, person in prospects.items()
        if contact.pk not in open_now
    ]
    open_leads(people, by)


def fill_cycles(people: Iterable[Person], by: Actor) -> None:
    """Fill in blanks of open cycles from legacy leads.

    Leads beyond New in the legacy workspace were contacted: their new cycles are at Working. Both are written at once,
    each with its entry.
    """
    active = {person.pk: leads for person in people if (leads := person.active)}
    held = _held(active)
    taken = _external_ids(active.values())
    told: list[LogRow] = []
    moved: list[DatedMove] = []
    rows: list[tuple] = []
    for cycle in held:
        leads = active[cycle.contact_id]
        if changes := _said(cycle, leads, taken):
            told.append(_fact(cycle, changes))
        if at := _spoken_with(cycle, leads):
            moved.append(DatedMove(cycle, "working", at, {"contacted_at": at}))
            changes |= _move(moved[-1])
        if changes:
            rows.append(_row(cycle, changes))
    if rows:
        update_rows(Lead, ("updated_at", *WRITTEN), rows)
    if told:
        record_rows("lead.updated", told, by=by)
    if moved:
        write_transitions(STATUS, moved, verb="first_contact", by=by)
        contacted = (_fact(each.record, _move(each), as_stored(each.at)) for each in moved)
        record_rows("lead.contacted", contacted, by=by)
    # As at an import's end: earlier engagement already gives a score.
    restage(Lead.objects.filter(pk__any_of=[cycle.pk for cycle in held]), by=by)


def _held(contacts: Iterable[int]) -> list[OpenCycle]:
    rows = Lead.objects.open().filter(contact__pk__any_of=list(contacts)).order_by("pk")
    return [OpenCycle._make(row) for row in rows.select_for_update(of=("self",)).values_list(*OpenCycle._fields)]


def _external_ids(of_people: Iterable[Sequence[OldLead]]) -> set[str]:
    wanted = [lead.external_id for leads in of_people for lead in leads if lead.external_id]
    found = Lead.objects.live().filter(external_id__any_of=wanted) if wanted else Lead.objects.none()
    return set(found.values_list("external_id", flat=True))


def _said(cycle: OpenCycle, leads: Sequence[OldLead], taken: set[str]) -> dict[str, Any]:
    """Return the leads' values missing in the cycle; external IDs only if not taken."""
    said: dict[str, Any] = {}
    for key in ("source", "description", "external_id"):
        value = "" if getattr(cycle, key) else next((value for lead in leads if (value := getattr(lead, key))), "")
        if value and not (key == "external_id" and value in taken):
            said[key] = value
    valued = None if cycle.estimated_value else next((lead for lead in leads if lead.estimated_value), None)
    if valued:
        said["estimated_value"] = valued.estimated_value
        said |= {"currency": valued.currency} if valued.currency != cycle.currency else {}
    return said


def _spoken_with(cycle: OpenCycle, leads: Iterable[OldLead]) -> datetime | None:
    """Return the first contact's time, if the cycle lacks it."""
    spoken = [lead.updated_at for lead in leads if lead.status in ACTIVE[1:]] if cycle.status == "new" else []
    return max(cycle.created_at, min(spoken)) if spoken else None


def _move(each: DatedMove) -> dict[str, Any]:
    changes = {"status": each.to, "status_since": each.at, **each.also}
    return {key: value for key, value in changes.items() if getattr(each.record, key) != value}


def _fact(cycle: OpenCycle, changes: dict[str, Any], at: str | None = None) -> LogRow:
    old = {key: to_log(getattr(cycle, key)) for key in changes}
    return LogRow(cycle.pk, cycle.contact_id, old, {key: to_log(value) for key, value in changes.items()}, at)


def _row(cycle: OpenCycle, changes: dict[str, Any]) -> tuple:
    if "source" in changes:
        changes["search_text"] = found_by(changes["source"], cycle.campaign)
    after = cycle._replace(version=cycle.version + 1, **changes)
    return (cycle.pk, clock.now(), *after[-len(WRITTEN) :])


def write_lost_cycles(lost: Iterable[Person], by: Actor) -> None:
    """Create a lost cycle for each new contact created as Lost."""
    ends = {person.made: person.steps[0].lead.updated_at for person in lost}
    made = Contact.objects.filter(pk__any_of=list(ends)).order_by("pk") if ends else Contact.objects.none()
    people = [Prospect._make(row) for row in made.values_list(*Prospect._fields)]
    opened = open_leads([(contact, contact.created_at) for contact in people], by)
    moved, reason = [], _("Lost as a legacy lead.")
    for cycle in Lead.objects.filter(pk__any_of=list(opened)).order_by("pk") if opened else ():
        at = max(cycle.created_at, ends[cycle.contact_id])
        moved.append(DatedMove(cycle, "lost", at, {"lost_date": at, "lost_reason": reason}))
    move_rows(STATUS, moved, verb="lose", event="lead.lost", by=by, reason=reason)
