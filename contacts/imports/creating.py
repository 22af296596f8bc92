"""New people: each is six rows in four tables, which go straight where they belong (COPY on PostgreSQL).

By way of a staging table each row would be written twice, and that costs more than deciding here what it holds.
"""

import json
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from audit.record import Fact, record_each
from contacts.axes import LIFECYCLE, STATUS
from contacts.models import Contact, contact_keys
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.ids import new_ids
from crm.kit.sql import insert_rows, next_ids
from crm.lifecycle.move import Start, start_each
from crm.lists.imports.registry import Incoming

ATTRIBUTES = {field.name: field.attname for field in Contact._meta.concrete_fields}
COLUMNS = tuple(name for name in ATTRIBUTES.values() if name != "workspace_id")
NAMED_BY = ("name", "first_name", "last_name", "email", "phone", "mobile")
RESOLVED_LATER = ("created_at", "manager")

as_row = itemgetter(*COLUMNS)
naming = itemgetter(*NAMED_BY)


def create_each(rows: Sequence[Incoming], by: Actor) -> Sequence[int]:
    """Make a contact of each row, with its entry and event and its first transitions; gives their keys, in order.

    `created_at` dates all of it. Raises IntegrityError when somebody else has the e-mail or external id by now.
    """
    if not rows:
        return ()
    ids, now, blank = next_ids(Contact, len(rows)), clock.now(), _blank(by)
    made = []
    for row, pk, public_id in zip(rows, ids, new_ids("contact", len(rows)), strict=True):
        identity = {"id": pk, "public_id": public_id, "created_at": now, "updated_at": now}
        made.append(_make(row.own, blank | identity))
    insert_rows(Contact, COLUMNS, (as_row(columns) for columns, _ in made))
    _record(made, by)
    return ids


def _blank(by: Actor) -> dict[str, Any]:
    """The columns of a contact of whom nothing is known; it belongs to whoever imports it."""
    blank = {f.attname: f.get_default() for f in Contact._meta.concrete_fields if f.name != "public_id"}
    return blank | {"owner_id": by.member_id}


def _make(own: dict[str, Any], columns: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the columns of a new contact, what its entry tells)."""
    told, custom = {}, {}
    for key, value in own.items():
        if key.startswith("custom."):
            custom[key.removeprefix("custom.")] = value
        elif key not in RESOLVED_LATER:
            columns[ATTRIBUTES[key]] = told[key] = getattr(value, "pk", value)
    at = columns["created_at"] = own.get("created_at", columns["created_at"])
    columns["lifecycle_stage_since"] = columns["status_since"] = columns["last_activity"] = at
    company = own.get("company")
    columns |= contact_keys(*naming(columns), company_key=company.name_key if company else "")
    columns["custom"] = json.dumps(custom)
    told |= {key: columns[key] for key in ("name", "lifecycle_stage", "status")} | {"custom": custom}
    if columns["owner_id"]:
        told["owner"] = columns["owner_id"]
    return columns, told


def _record(made: Iterable[tuple[dict[str, Any], dict[str, Any]]], by: Actor) -> None:
    facts = [Fact(columns["id"], columns["id"], None, told, columns["created_at"]) for columns, told in made]
    record_each("contact.created", facts, by=by)
    for axis in (LIFECYCLE, STATUS):
        starts = (Start(columns["id"], columns[axis.field], columns["created_at"]) for columns, _ in made)
        start_each(starts, axis, "import", by=by)
