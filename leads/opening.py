"""How a lead begins: for contacts that are made at Lead or Qualified, and for those that are reopened."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet

from audit.record import Fact, record, record_each
from contacts.models import Contact
from crm.campaigns.attribution import last_touch
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.ids import new_ids
from crm.kit.scope import workspace
from crm.kit.sql import as_stored, insert_rows, next_ids, update_rows
from crm.lifecycle.move import start
from crm.users.visibility import Locked
from leads.assignment.choose import choose
from leads.axes import STAGE, STATUS
from leads.deadlines import deadline, terms
from leads.models import Lead, found_by
from leads.scoring.reactions import score_opened

PROSPECTS = ("lead", "qualified")  # the stages of a contact that has something to qualify
TOLD = ("contact", "status", "stage", "source", "campaign", "currency", "owner", "team", "contact_by", "counts_from")


class Prospect(NamedTuple):
    """What a lead takes over from its contact: read so of many, since to make models of them costs as much again."""

    pk: int
    owner_id: int | None
    team_id: int | None
    source: str
    version: int
    created_at: datetime


def open_for_new(contacts: QuerySet, by: Actor) -> None:
    """Reaction to contacts that were made: each at Lead or Qualified gets its first lead, dated as the contact is."""
    people = _without(Lead.objects.live(), contacts)
    open_leads([(contact, contact.created_at) for contact in people], by)


def open_for_captured(contacts: QuerySet, by: Actor) -> None:
    """Reaction to contacts that came in, now or once more: the same, for those who never had a lead, as of now."""
    now = clock.now()
    open_leads([(contact, now) for contact in _without(Lead.objects.live(), contacts)], by)


def open_again(contacts: QuerySet, by: Actor) -> None:
    """Reaction to reopened contacts: a new cycle for each without an open one (DESIGN 1.1)."""
    now = clock.now()
    open_leads([(contact, now) for contact in _without(Lead.objects.open(), contacts)], by)


def _without(leads: QuerySet, contacts: QuerySet) -> list[Prospect]:
    """The prospects among contacts that have none of these leads."""
    found = contacts.filter(lifecycle_stage__in=PROSPECTS).order_by("pk")
    people = [Prospect(*values) for values in found.values_list(*Prospect._fields)]
    taken = set(leads.filter(contact__pk__any_of=[contact.pk for contact in people]).values_list("contact", flat=True))
    return [contact for contact in people if contact.pk not in taken]


def open_leads(people: Sequence[tuple[Contact | Prospect, Any]], by: Actor) -> Sequence[int]:
    """Open a lead for each (contact, moment): dated, assigned, recorded, scored; a few statements however many.

    One whose contact was mailed by a campaign shortly before is put down to it. Gives their keys, in order.
    """
    if not people:
        return ()
    ids = next_ids(Lead, len(people))
    due = _due({at for _, at in people}, by)
    insert_rows(Lead, COLUMNS, _rows(people, ids, due), {"custom": {}, "currency": workspace().currency} | BLANK)
    leads = Lead.objects.filter(pk__any_of=ids)
    _assign(leads, {pk: contact for pk, (contact, _) in zip(ids, people, strict=True)}, by)
    for axis in (STATUS, STAGE):
        start(Lead, ids, axis, "open", by=by)
    record("lead.created", leads, by=by, snapshot=TOLD)
    score_opened(ids, by)
    return ids


def refuse_second_open(locked: Locked, statuses: Collection[str]) -> None:
    """Of leads at `statuses`, which are about to be open again, refuse those whose contact has an open one: of several
    the first goes before."""
    taken: set[int] = set()
    for rows in locked.batches():
        coming = rows.filter(status__in=statuses)
        there = Lead.objects.open().filter(contact__in=coming.order_by().values("contact"))
        taken |= set(there.values_list("contact", flat=True))
        for pk, contact in coming.values_list("pk", "contact"):
            if contact in taken:
                locked.outcome.refuse([pk], "Another lead of this contact is open.")
            taken.add(contact)


def _due(moments: set[Any], by: Actor) -> dict[Any, str]:
    """By when a lead of each moment is to be spoken with; for those of an import, which are old news, never."""
    if by.channel == Channel.IMPORT:
        return {}
    agreed = terms()
    return {at: as_stored(deadline(at, agreed)) for at in moments}


def _assign(leads: QuerySet[Lead], contacts: dict[int, Contact | Prospect], by: Actor) -> None:
    """Give the leads their owners, and those contacts that have nobody the owner of their lead."""
    owners = choose(leads, contacts)
    changed = [(pk, owners[pk]) for pk, contact in contacts.items() if owners[pk] != contact.owner_id]
    if changed:
        update_rows(Lead, ["owner_id"], changed)
    unowned = [(contact, owners[pk]) for pk, contact in contacts.items() if owners[pk] and contact.owner_id is None]
    if unowned:
        now = clock.now()
        rows = [(contact.pk, owner, contact.version + 1, now) for contact, owner in unowned]
        update_rows(Contact, ["owner_id", "version", "updated_at"], rows)
        facts = (Fact(contact.pk, contact.pk, {"owner": None}, {"owner": owner}) for contact, owner in unowned)
        record_each("contact.assigned", facts, by=by)


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
BLANK: dict[str, Any] = {
    field.attname: field.get_default()
    for field in Lead._meta.concrete_fields
    if field.attname not in (*COLUMNS, "workspace_id", "custom", "currency") and not field.null
}


def _rows(people: Sequence[tuple[Contact | Prospect, Any]], ids: Sequence[int], due: dict[Any, str]) -> list[tuple]:
    closed = _closed(contact.pk for contact, _ in people)
    campaigns = last_touch({contact.pk: at for contact, at in people})
    search_text = cache(found_by)  # those of an import have few sources
    rows = []
    for (contact, at), pk, public_id in zip(people, ids, new_ids("lead", len(people)), strict=True):
        campaign = campaigns.get(contact.pk, "")
        who = (pk, public_id, contact.pk, contact.owner_id, contact.team_id, contact.source, campaign)
        moment = as_stored(at)
        since = as_stored(closed.get(contact.pk))
        rows.append((*who, search_text(contact.source, campaign), since, due.get(at), *[moment] * 4))
    return rows


def _closed(contacts) -> dict[int, Any]:
    """When the last of each contact's closed leads was closed: what engaged before is not of the new cycle."""
    found = Lead.objects.live().filter(contact__pk__any_of=list(contacts)).order_by().values("contact")
    return dict(found.annotate(at=Max("status_since")).values_list("contact", "at"))
