"""Import of legacy leads: matched, then created or changed. Statuses and dates are taken unchanged."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from audit import values as audited
from audit.record import LogRow, record_rows
from contacts.imports.parsers import LONGEST_NAME, past, plain
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.ids import new_ids
from crm.kit.scope import workspace
from crm.kit.sql import as_stored, insert_rows, next_ids
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.access import allow_creating_legacy_leads
from crm.legacy_leads.imports.matching import LeadMatch, match_leads
from crm.legacy_leads.imports.names import ELSEWHERE, STATUSES
from crm.legacy_leads.models import LegacyLead
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import MappedColumn, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, IncomingRow
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun
from crm.records.imports import to_change
from crm.records.validation import clean
from crm.records.writing import apply_each, assign, columns

COLUMNS = [f.attname for f in LegacyLead._meta.concrete_fields if f.name != "workspace"]
OFTEN_ALIKE = {"status", "source", "currency", "owner", "team", "company_name"}
MIGRATED = _("This lead was migrated to a contact and can’t be changed.")
FIXED = {"contact", "created_at"}  # not changed as a value


class LegacyLeadImporter:
    """Importer of legacy leads, including closed ones."""

    entity = "legacy_lead"
    also = frozenset({"created_at", "archived_at"})
    elsewhere = ELSEWHERE
    lede = _("One row per legacy lead. Existing leads are matched by external ID.")

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        self.run, self.mapping, self.scratch, self.by = run, mapping, scratch, by

    def prepare(self, sheet: Sheet) -> None:
        """Do nothing: rows are independent."""

    def parser(self, feed: MappedColumn) -> Callable[[str], Any]:
        field = feed.path.field
        if field.key in ("created_at", "archived_at"):
            return remembered(past)
        if field.key == "contact":
            return plain(field, LONGEST_NAME)

        def read(text: str) -> Any:
            text = STATUSES.get(text.strip().lower(), text) if field.key == "status" else text
            return clean("legacy_lead", field, text.strip(), self.by)

        return remembered(read) if field.key in OFTEN_ALIKE else read

    def notes(self) -> list[str]:
        """Warn about a missing status column: all leads would be new, and migrated."""
        return [] if self.mapping.feed("status") else [gettext("No status column – all leads start as New.")]

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        allow_creating_legacy_leads(self.by)
        matches, refused = match_leads(rows, self.scratch, self.by)
        if refused:
            return BatchResult(refused=refused)
        fresh = [each for each in matches if each.lead is None]
        there = [(each, changes) for each in matches if each.lead and (changes := self._changes(each))]
        if final := [each.row.line for each, _ in there if each.lead and each.lead.became_contact_id]:
            return BatchResult(refused=dict.fromkeys(final, ("", str(MIGRATED))))
        self._create(fresh)
        changed = [(each.lead, changes) for each, changes in there if each.lead]
        apply_each(changed, by=self.by)
        return BatchResult(len(fresh), len(changed), len(matches) - len(fresh) - len(changed))

    def finish(self) -> Iterator[BatchResult]:
        return iter(())

    def _changes(self, found: LeadMatch) -> dict[str, Any]:
        said = {key: value for key, value in found.row.own.items() if key not in FIXED}
        if found.contact:
            said["contact"] = found.contact
        return to_change(found.lead, said, self.run.on_match)

    def _create(self, fresh: Sequence[LeadMatch]) -> None:
        """Create a legacy lead per row, with entry and event, with the file's dates."""
        if not fresh:
            return
        ids, public_ids = next_ids(LegacyLead, len(fresh)), new_ids("legacy", len(fresh))
        made = []
        for found, pk, public_id in zip(fresh, ids, public_ids, strict=True):
            lead = _build(found, self.by)
            lead.pk, lead.public_id = pk, public_id
            made.append(lead)
        insert_rows(LegacyLead, COLUMNS, (_row(lead) for lead in made))
        record_rows("legacy_lead.created", [_fact(lead) for lead in made], by=self.by)


def _build(found: LeadMatch, by: Actor) -> LegacyLead:
    own = found.row.own
    at = own.get("created_at") or clock.now()
    lead = LegacyLead(workspace_id=by.workspace_id, contact=found.contact, currency=workspace().currency)
    lead.owner_id, lead.created_at, lead.updated_at = by.member_id, at, at
    assign(lead, {key: value for key, value in own.items() if key not in FIXED})
    lead.derive()
    return lead


def _row(lead: LegacyLead) -> tuple:
    values = {name: as_stored(getattr(lead, name)) for name in COLUMNS}
    return tuple((values | {"custom": json.dumps(lead.custom)}).values())


def _fact(lead: LegacyLead) -> LogRow:
    values = {key: audited.to_log(audited.read_value(lead, key)) for key in columns(LegacyLead)}
    values = {key: value for key, value in values.items() if value not in (None, "", {})}
    return LogRow(lead.pk, None, None, values, as_stored(lead.created_at))
