"""New contacts: four rows in three tables each, written directly (COPY on PostgreSQL).

A staging table would write each row twice, which costs more than computing the values here.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from audit.record import LogRow, record_rows
from contacts.axes import LIFECYCLE, STATUS
from contacts.imports.matching import Match
from contacts.models import Contact, ContactAddress, contact_keys
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.ids import new_ids
from crm.kit.sql import as_stored, insert_rows, next_ids, stored_time
from crm.kit.statistics import analyze_if_grown
from crm.lifecycle.transitions import write_first_transition

SINCE = LIFECYCLE.since
CUSTOM = "custom."  # not a text
RESOLVED = {"created_at", SINCE, "company", "manager"}  # not stored as a column's value
ATTRIBUTES = {f.name: f.attname for f in Contact._meta.concrete_fields if f.name not in RESOLVED}
COLUMNS = tuple(f.attname for f in Contact._meta.concrete_fields if f.name != "workspace")
ALWAYS_TOLD = ("name", "lifecycle_stage", "status")
DATED = ("created_at", "lifecycle_stage_since", "status_since", "last_activity")

as_row = itemgetter(*COLUMNS)
always_told = itemgetter(*ALWAYS_TOLD)


def create_each(
    matches: Sequence[Match], by: Actor, *, note: str = "", ids: Sequence[int] | None = None
) -> Sequence[int]:
    """Create a contact per row, with entry, event and first transitions; return the keys in order.

    `created_at`, or else the stage's date, dates all of it; `note` is the origin; `ids` are reserved keys. Raises
    IntegrityError if another contact has taken the email or external id.
    """
    if not matches:
        return ()
    ids = ids or next_ids(Contact, len(matches))
    facts: list[LogRow] = []
    insert_rows(Contact, COLUMNS, _rows(matches, ids, by, facts))
    analyze_if_grown(ContactAddress, len(matches))
    for axis in (LIFECYCLE, STATUS):
        write_first_transition(Contact, ids, axis, "import", by=by)
    record_rows("contact.created", facts, by=by, note=note)
    return ids


def _rows(matches: Sequence[Match], ids: Sequence[int], by: Actor, facts: list[LogRow]) -> Iterator[tuple]:
    blank, stored = _blank(by), stored_time()
    for match, pk, public_id in zip(matches, ids, new_ids("contact", len(matches)), strict=True):
        row, fact = _make(match, blank | {"id": pk, "public_id": public_id}, stored)
        facts.append(fact)
        yield row


def _blank(by: Actor) -> dict[str, Any]:
    """Return the columns of an empty contact, owned by the importer."""
    blank = {f.attname: f.get_default() for f in Contact._meta.concrete_fields if f.name != "public_id"}
    times = dict.fromkeys((*DATED, "updated_at"), as_stored(clock.now()))
    return blank | times | {"owner_id": by.member_id, "custom": "{}"}


def _make(match: Match, columns: dict[str, Any], stored: Callable[[datetime], str]) -> tuple[tuple, LogRow]:
    """Return a new contact's row, and its log row: as JSON, built while the server processes earlier rows."""
    own, company, told, custom, at = match.row.own, match.company, {}, {}, None
    for key, value in own.items():
        if key in ATTRIBUTES:
            columns[ATTRIBUTES[key]] = told[key] = value
        elif key.startswith(CUSTOM):
            custom[key.removeprefix(CUSTOM)] = value
    if company:
        columns["company_id"] = told["company"] = company.pk
    if first := own.get("created_at") or own.get(SINCE):
        at = stored(first)
        columns.update(dict.fromkeys(DATED, at))
    if SINCE in own:
        columns[SINCE] = stored(own[SINCE])
    if custom:
        columns["custom"] = json.dumps(custom)
    columns.update(contact_keys(columns, company_key=company.name_key if company else ""))
    columns["address_rows"] = json.dumps(columns["address_rows"])
    told.update(zip(ALWAYS_TOLD, always_told(columns), strict=True), custom=custom)
    if columns["owner_id"]:
        told["owner"] = columns["owner_id"]
    return as_row(columns), LogRow(columns["id"], columns["id"], None, json.dumps(told), at)
