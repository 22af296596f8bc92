"""Creation of leads: for contacts created at Lead or Qualified, and for reopened ones."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet

from audit.record import LogRow, record, record_rows
from contacts.models import Contact
from crm.campaigns.attribution import last_touch
from crm.events.reactions import reacts_to
from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role
from crm.kit.compiled_queries import run_cached_over
from crm.kit.ids import new_ids
from crm.kit.scope import workspace
from crm.kit.sql import as_stored, insert_rows, next_ids, update_rows
from crm.kit.translation import gettext as _
from crm.lifecycle.transitions import write_first_transition
from crm.users.models import Membership
from crm.users.visibility import Locked
from leads.assignment.choose import choose
from leads.axes import STAGE, STATUS
from leads.deadlines import deadline, terms
from leads.models import Lead, found_by
from leads.scoring.reactions import score_opened

PROSPECTS = ("lead", "qualified")  # contact stages with an open cycle
WON, LOST = ("customer", "churned"), ("lost",)  # contact stages with a finished cycle
TOLD = ("contact", "status", "stage", "source", "campaign", "currency", "owner", "team", "contact_by", "counts_from")


class Prospect(NamedTuple):
    """Contact values used by a lead: plain rows, because model instances would double the cost."""

    pk: int
    owner_id: int | None
    team_id: int | None
    source: str
    version: int
    created_at: datetime
    lifecycle_stage: str
    lifecycle_stage_since: datetime


class ImportedLeads(NamedTuple):
    """A file's lead values by contact, and its name.

    `derived` counts leads closed on creation, because their contacts are past the prospect stages.
    """

    values: Mapping[int, Mapping[str, Any]]
    file_name: str
    derived: Counter[str]


_imported: ContextVar[ImportedLeads | None] = ContextVar("imported", default=None)


@contextmanager
def open_as_imported(imported: ImportedLeads) -> Iterator[None]:
    """Create leads in the block with the file's values, applied before any rule; closed ones too."""
    token = _imported.set(imported)
    try:
        yield
    finally:
        _imported.reset(token)


@reacts_to("contact.created")
def open_for_new(contacts: QuerySet, by: Actor) -> None:
    """React to created contacts: each at Lead or Qualified gets its first lead, with the contact's date.

    Imported customers, churned and lost contacts too: their leads are closed immediately.
    """
    stages = (*PROSPECTS, *WON, *LOST) if _imported.get() else PROSPECTS
    people = _without(Lead.objects.live(), contacts, stages)
    open_leads([(contact, contact.created_at) for contact in people], by, first=True)


@reacts_to("contact.captured")
def open_for_captured(contacts: QuerySet, by: Actor) -> None:
    """React to captured contacts, new or known: create a lead as of now for those that never had one."""
    now = clock.now()
    open_leads([(contact, now) for contact in _without(Lead.objects.live(), contacts)], by, first=True)


@reacts_to("contact.reopened")
def open_again(contacts: QuerySet, by: Actor) -> None:
    """React to reopened contacts: a new cycle for each without an open one (DESIGN 1.1)."""
    now = clock.now()
    open_leads([(contact, now) for contact in _without(Lead.objects.open(), contacts)], by)


def _without(leads: QuerySet, contacts: QuerySet, stages: Sequence[str] = PROSPECTS) -> list[Prospect]:
    def build(rows: QuerySet) -> QuerySet:
        return rows.filter(lifecycle_stage__in=stages).order_by("pk").values_list(*Prospect._fields)

    people = [Prospect(*values) for values in run_cached_over(contacts, ("prospects", stages), build)]
    taken = set(leads.filter(contact__pk__any_of=[contact.pk for contact in people]).values_list("contact", flat=True))
    return [contact for contact in people if contact.pk not in taken]


def open_leads(people: Sequence[tuple[Contact | Prospect, Any]], by: Actor, *, first: bool = False) -> Sequence[int]:
    """Create a lead for each (contact, time): dated, assigned, recorded, scored, in a few statements. Return the keys.

    A contact recently emailed by a campaign has its lead attributed to it. `first`: none of them had a lead before.
    """
    if not people:
        return ()
    ids = next_ids(Lead, len(people))
    imported = _closing(people)
    closed = {} if first else _closed(contact.pk for contact, _ in people)
    rows = _rows(people, ids, _due({at for _, at in people}, by), imported, closed)
    names = (*COLUMNS, *(IMPORTED if imported else ()))
    shared = {"custom": {}, "currency": workspace().currency} | BLANK
    insert_rows(Lead, names, rows, {key: value for key, value in shared.items() if key not in names})
    leads = Lead.objects.filter(pk__any_of=ids)
    _assign(leads, {pk: contact for pk, (contact, _) in zip(ids, people, strict=True)}, imported, by)
    for axis in (STATUS, STAGE):
        write_first_transition(Lead, ids, axis, "open", by=by)
    record("lead.created", leads, by=by, snapshot=(*TOLD, *(SNAPSHOT if imported else ())))
    score_opened(ids, by)
    return ids


def _closing(people: Sequence[tuple[Contact | Prospect, Any]]) -> dict[int, dict[str, Any]]:
    """Return the file's closing values of leads by contact, and how each lead was closed."""
    imported = _imported.get()
    if imported is None:
        return {}
    closing = {}
    for contact, _at in people:
        values = {RENAMED.get(key, key): value for key, value in imported.values.get(contact.pk, {}).items()}
        values |= {} if contact.lifecycle_stage in PROSPECTS else _closed_as(contact, imported)
        if values:
            closing[contact.pk] = values
    return closing


def _closed_as(contact: Contact | Prospect, imported: ImportedLeads) -> dict[str, Any]:
    since, is_won = contact.lifecycle_stage_since, contact.lifecycle_stage in WON
    imported.derived[_("Leads converted") if is_won else _("Leads lost")] += 1
    if is_won:
        dates = dict.fromkeys(("converted_date", "won_date", "status_since", "stage_since"), since)
        return {"status": "converted", "stage": "opportunity"} | dates
    reason = _("Imported from {file}").format(file=imported.file_name)
    return {"status": "lost", "lost_reason": reason, "lost_date": since, "status_since": since}


def refuse_second_open(locked: Locked, statuses: Collection[str]) -> None:
    """Refuse leads about to reopen at `statuses` whose contact has an open one, or an earlier one in this batch."""
    taken: set[int] = set()
    for rows in locked.batches():
        coming = rows.filter(status__in=statuses)
        there = Lead.objects.open().filter(contact__in=coming.order_by().values("contact"))
        taken |= set(there.values_list("contact", flat=True))
        for pk, contact in coming.values_list("pk", "contact"):
            if contact in taken:
                locked.outcome.refuse([pk], _("This contact already has an open lead."))
            taken.add(contact)


def _due(moments: set[Any], by: Actor) -> dict[Any, str]:
    """Map each creation time to its deadline; imported leads are old and have none."""
    if by.channel == Channel.IMPORT:
        return {}
    agreed = terms()
    return {at: as_stored(deadline(at, agreed)) for at in moments}


def _assign(
    leads: QuerySet[Lead],
    contacts: dict[int, Contact | Prospect],
    imported: Mapping[int, Mapping[str, Any]],
    by: Actor,
) -> None:
    """Assign owners to leads, and the lead's owner to contacts without one.

    Owners in the file are kept; leads lost before the import need none.
    """
    values_by_contact = {pk: imported.get(contact.pk, {}) for pk, contact in contacts.items()}
    owners = {pk: values["owner_id"] for pk, values in values_by_contact.items() if values.get("owner_id")}
    owners |= {
        pk: contacts[pk].owner_id
        for pk, v in values_by_contact.items()
        if v.get("status") == "lost" and pk not in owners
    }
    free = {pk: contact for pk, contact in contacts.items() if pk not in owners}
    owners |= choose(leads.filter(pk__any_of=list(free)), free) if free else {}
    owners |= _for_want_of_others(owners, values_by_contact, by)
    changed = [(pk, owners[pk]) for pk, contact in contacts.items() if owners[pk] != contact.owner_id]
    if changed:
        update_rows(Lead, ["owner_id"], changed)
    unowned = [(contact, owners[pk]) for pk, contact in contacts.items() if owners[pk] and contact.owner_id is None]
    if unowned:
        now = clock.now()
        rows = [(contact.pk, owner, contact.version + 1, now) for contact, owner in unowned]
        update_rows(Contact, ["owner_id", "version", "updated_at"], rows)
        facts = (LogRow(contact.pk, contact.pk, {"owner": None}, {"owner": owner}) for contact, owner in unowned)
        record_rows("contact.assigned", facts, by=by)


def _for_want_of_others(
    owners: Mapping[int, int | None], told: Mapping[int, Mapping[str, Any]], by: Actor
) -> dict[int, int | None]:
    """Assign the leads of an import by the system to the first admin, if the workspace has no reps yet.

    Otherwise each lead and its contact would be an exception; the run's report mentions it once. With reps, an empty
    pool is the admin's choice.
    """
    imported = _imported.get()
    left = [pk for pk, owner in owners.items() if owner is None and told[pk].get("status") != "lost"]
    if imported is None or by.member_id or not left:
        return {}
    members = Membership.objects.active().filter(role__in=(Role.REP, Role.ADMIN)).order_by("pk")
    admin = members.filter(role=Role.ADMIN).select_related("user").first()
    if admin is None or members.filter(role=Role.REP).exists():
        return {}
    told_of = _("Leads assigned to {name}, because the workspace has no reps").format(name=admin.user.name)
    imported.derived[told_of] += len(left)
    return dict.fromkeys(left, admin.pk)


COLUMNS = (
    "id",
    "public_id",
    "contact_id",
    "owner_id",
    "team_id",
    "source",
    "campaign",
    "search_text",
    "counts_from",
    "contact_by",
    "created_at",
    "updated_at",
    "status_since",
    "stage_since",
)
RENAMED = {"owner": "owner_id", "team": "team_id"}
# Values only a file has for a new lead: its fields, and how it was closed.
SNAPSHOT = (
    "external_id",
    "fleet_size",
    "country",
    "description",
    "estimated_value",
    "custom",
    "converted_date",
    "won_date",
    "lost_date",
    "lost_reason",
)
CUSTOM = "custom."  # not a text
IMPORTED = ("status", "stage", "currency", *SNAPSHOT)
BLANK: dict[str, Any] = {
    field.attname: field.get_default()
    for field in Lead._meta.concrete_fields
    if field.attname not in (*COLUMNS, "workspace_id", "custom", "currency") and not field.null
}

FILLED = {key: BLANK[key] for key in IMPORTED if key in BLANK}


def _rows(
    people: Sequence[tuple[Contact | Prospect, Any]],
    ids: Sequence[int],
    due: dict[Any, str],
    imported: Mapping[int, Mapping[str, Any]],
    closed: Mapping[int, Any],
) -> Iterator[tuple]:
    """Yield the rows to insert, each built while the server processes the previous one."""
    campaigns = last_touch({contact.pk: at for contact, at in people})
    search_text = cache(found_by)  # imports have few sources

    def row(contact: Contact | Prospect, at: Any, pk: int, public_id: str) -> tuple:
        campaign = campaigns.get(contact.pk, "")
        who = (pk, public_id, contact.pk, contact.owner_id, contact.team_id, contact.source, campaign)
        moment = as_stored(at)
        since = as_stored(closed.get(contact.pk))
        columns = (*who, search_text(contact.source, campaign), since, due.get(at), *[moment] * 4)
        return _filled(columns, imported.get(contact.pk, {})) if imported else columns

    public_ids = new_ids("lead", len(people))
    return (row(*person, *own) for person, own in zip(people, zip(ids, public_ids, strict=True), strict=True))


def _filled(row: tuple, values: Mapping[str, Any]) -> tuple:
    """Return a lead's row with the file's values, and the columns only a file fills."""
    columns = dict(zip(COLUMNS, row, strict=True)) | dict.fromkeys(IMPORTED) | FILLED
    columns["currency"] = workspace().currency
    custom = {key.removeprefix(CUSTOM): value for key, value in values.items() if key.startswith(CUSTOM)}
    columns |= {key: as_stored(value) for key, value in values.items() if key in columns}
    columns |= {"custom": json.dumps(custom), "search_text": found_by(columns["source"], columns["campaign"])}
    return tuple(columns.values())


def _closed(contacts) -> dict[int, Any]:
    """Return when each contact's last closed lead was closed: earlier engagement does not count."""
    found = Lead.objects.live().filter(contact__pk__any_of=list(contacts)).order_by().values("contact")
    return dict(found.annotate(at=Max("status_since")).values_list("contact", "at"))
