"""New people: each is six rows in four tables, which go straight where they belong (COPY on PostgreSQL).

By way of a staging table each row would be written twice, and that costs more than deciding here what it holds.
"""

import json
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from audit.record import Fact, record_each
from contacts.axes import LIFECYCLE, STATUS
from contacts.imports.matching import Match
from contacts.models import Contact, contact_keys
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.ids import new_ids
from crm.kit.sql import as_stored, insert_rows, next_ids
from crm.lifecycle.move import start

ATTRIBUTES = {field.name: field.attname for field in Contact._meta.concrete_fields}
COLUMNS = tuple(name for name in ATTRIBUTES.values() if name != "workspace_id")
NAMED_BY = ("name", "first_name", "last_name", "email", "phone", "mobile")
DATED = ("created_at", "lifecycle_stage_since", "status_since", "last_activity")
RESOLVED = ("created_at", "company", "manager")  # not values of their column

as_row = itemgetter(*COLUMNS)
naming = itemgetter(*NAMED_BY)


def create_each(matches: Sequence[Match], by: Actor) -> Sequence[int]:
    """Make a contact of each row, with its entry, event and first transitions; gives their keys, in order.

    `created_at` dates all of it. Raises IntegrityError when somebody else has the e-mail or external id by now.
    """
    if not matches:
        return ()
    ids = next_ids(Contact, len(matches))
    facts: list[Fact] = []
    insert_rows(Contact, COLUMNS, _rows(matches, ids, by, facts))
    people = Contact.objects.filter(pk__any_of=ids)
    for axis in (LIFECYCLE, STATUS):
        start(people, axis, "import", by=by)
    record_each("contact.created", facts, by=by)
    return ids


def _rows(matches: Sequence[Match], ids: Sequence[int], by: Actor, facts: list[Fact]) -> Iterator[tuple]:
    blank = _blank(by)
    for match, pk, public_id in zip(matches, ids, new_ids("contact", len(matches)), strict=True):
        row, fact = _make(match, blank | {"id": pk, "public_id": public_id})
        facts.append(fact)
        yield row


def _blank(by: Actor) -> dict[str, Any]:
    """The columns of a contact of whom nothing is known; it belongs to whoever imports it."""
    blank = {f.attname: f.get_default() for f in Contact._meta.concrete_fields if f.name != "public_id"}
    times = dict.fromkeys((*DATED, "updated_at"), as_stored(clock.now()))
    return blank | times | {"owner_id": by.member_id, "custom": "{}"}


def _make(match: Match, columns: dict[str, Any]) -> tuple[tuple, Fact]:
    """The row of a new contact, and what its entry tells."""
    own, company, told, custom = match.row.own, match.company, {}, {}
    for key, value in own.items():
        if key.startswith("custom."):
            custom[key.removeprefix("custom.")] = value
        elif key not in RESOLVED:
            columns[ATTRIBUTES[key]] = told[key] = value
    if company:
        columns["company_id"] = told["company"] = company.pk
    if at := as_stored(own["created_at"]) if "created_at" in own else None:
        columns |= dict.fromkeys(DATED, at)
    if custom:
        columns["custom"] = json.dumps(custom)
    columns |= contact_keys(*naming(columns), company_key=company.name_key if company else "")
    told |= {key: columns[key] for key in ("name", "lifecycle_stage", "status")} | {"custom": custom}
    if columns["owner_id"]:
        told["owner"] = columns["owner_id"]
    return as_row(columns), Fact(columns["id"], columns["id"], None, told, at)
