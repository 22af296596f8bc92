"""Imports into existing contacts: changed values and moves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contacts.axes import LIFECYCLE, STATUS
from contacts.imports.addresses import COLUMNS, address_changes
from contacts.imports.matching import Match
from contacts.imports.stages import move_each
from contacts.models import Contact
from contacts.suppression import SHOWN
from crm.kit.actor import Actor, Channel
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.models import Transition
from crm.lifecycle.move import force_move
from crm.lists.imports.registry import Refused
from crm.lists.models import ImportRun, OnMatch
from crm.records.imports import to_change
from crm.records.writing import apply_each
from crm.users.visibility import may_edit

BY_PEOPLE = "by people"  # not a text
NOT_YOURS = _("View only – this contact belongs to someone else.")
# Not changed as a value.
OTHERWISE = COLUMNS | {"created_at", "company", "manager", LIFECYCLE.field, LIFECYCLE.since, STATUS.field}


@dataclass(slots=True)
class Difference:
    """The difference between a contact and its row: values by key, status, stage ('' if equal) and its date."""

    contact: Contact
    line: int
    values: dict[str, Any]
    status: str
    stage: str
    since: datetime | None = None


def change_each(matches: Sequence[Match], run: ImportRun, by: Actor) -> tuple[set[int], Refused]:
    """Change and move locked contacts that differ from their rows; return the changed lines and the rejected ones."""
    found = [difference for match in matches if (difference := _difference(match, run.on_match))]
    if not run.override_reason:
        found = _without_old_news(found)
    refused: Refused = {d.line: ("", str(NOT_YOURS)) for d in found if not may_edit(d.contact, by)}
    if not refused:
        apply_each([(d.contact, d.values) for d in found if d.values], by=by)
        _set_statuses(found, by)
        refused = _move(found, run, by)
    return {d.line for d in found}, refused


def _difference(match: Match, on_match: str) -> Difference | None:
    contact, own = match.contact, match.row.own
    if contact is None:
        return None
    said = {key: value for key, value in own.items() if key not in OTHERWISE}
    if match.company:
        said["company"] = match.company
    values = to_change(contact, said, on_match) | address_changes(contact, own, on_match)
    _follow_name(contact, own, values)
    status = stage = ""
    if on_match == OnMatch.UPDATE:
        status, stage = (_moved(contact, axis.field, own) for axis in (STATUS, LIFECYCLE))
        status = "" if is_status_suppressed(match) else status
    if not (values or status or stage):
        return None
    return Difference(contact, match.row.line, values, status, stage, own.get(LIFECYCLE.since))


def is_status_suppressed(match: Match) -> bool:
    """Return whether a row sets another status on a suppressed contact: a file lifts no suppression."""
    contact, wanted = match.contact, match.row.own.get(STATUS.field, "")
    return contact is not None and contact.status in SHOWN and bool(wanted) and wanted not in SHOWN


def _without_old_news(found: list[Difference]) -> list[Difference]:
    """Drop stages that an earlier file already set, for contacts moved only by files: they have progressed since."""
    keys = [difference.contact.pk for difference in found if difference.stage]
    moves = Transition.objects.filter(entity="contact", axis=LIFECYCLE.field, record_id__any_of=keys)
    rows = moves.filter(undone_by__isnull=True).values_list("record_id", "to_value", "channel") if keys else ()
    stages: defaultdict[int, set[str]] = defaultdict(set)
    for pk, stage, channel in rows:
        stages[pk].add(stage if channel == Channel.IMPORT else BY_PEOPLE)
    for difference in found:
        before = stages[difference.contact.pk]
        if difference.stage in before and BY_PEOPLE not in before:
            difference.stage = ""
    return [difference for difference in found if difference.values or difference.status or difference.stage]


def _moved(contact: Contact, field: str, own: dict[str, Any]) -> str:
    wanted = own.get(field, "")
    return wanted if wanted != getattr(contact, field) else ""


def _follow_name(contact: Contact, own: dict[str, Any], values: dict[str, Any]) -> None:
    """Derive the full name from first and last names while it matches them."""
    made = f"{contact.first_name} {contact.last_name}".strip()
    if "name" not in own and contact.name == made and values.keys() & {"first_name", "last_name"}:
        names = (values.get(key, getattr(contact, key)) for key in ("first_name", "last_name"))
        values["name"] = " ".join(names).strip()


def _set_statuses(found: Sequence[Difference], by: Actor) -> None:
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for difference in found:
        if difference.status:
            groups[difference.status].append(difference.contact.pk)
    for status, ids in groups.items():
        rows = Contact.objects.filter(pk__in=ids)
        force_move(rows, STATUS, status, verb="set_status", event="contact.status_changed", by=by)


def _move(found: Sequence[Difference], run: ImportRun, by: Actor) -> Refused:
    moving = {d.contact: d for d in found if d.stage}
    stay = move_each({contact: (d.stage, d.since) for contact, d in moving.items()}, run, by)
    header = str(LIFECYCLE.label)
    return {d.line: (header, stay[contact.pk]) for contact, d in moving.items() if contact.pk in stay}
