"""Report of a migration per lead, planned or carried out."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import NamedTuple

from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import in_workspace
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.legacy_leads.moving.plan import OldLead, PlannedLead
from crm.lists.formulas import escape

CHUNK = 2_000


class ReportRow(NamedTuple):
    """One lead's line."""

    lead: str
    external_id: str
    name: str
    email: str
    status: str
    estimated_value: str
    currency: str
    outcome: str
    why: str
    contact: str
    opportunity: str
    why_no_opportunity: str


HEADER = ReportRow._fields


def planned_report_row(step: PlannedLead) -> ReportRow:
    became = step.contact.public_id if step.contact else "new" * bool(step.person)
    return _row(step.lead, step.outcome, step.why, became, "new" * step.opportunity, step.value_note)


def carried_out(run: MigrationRun) -> Iterator[ReportRow]:
    """Yield each lead's result in a run, oldest first; read in chunks, in the run's workspace.

    Not counted as a read of the retired table: checking a migration needs no legacy leads.
    """
    chunk: list[LegacyLead] = []
    while True:
        with in_workspace(run.workspace), uncounted_reads():
            rows = run.rows.select_related("became_contact", "became_opportunity").order_by("pk")  # type: ignore[attr-defined]
            chunk = list((rows.filter(pk__gt=chunk[-1].pk) if chunk else rows)[:CHUNK])
        if not chunk:
            return
        for lead in chunk:
            contact, deal = (r.public_id if r else "" for r in (lead.became_contact, lead.became_opportunity))
            yield _row(lead, lead.outcome, lead.outcome_note, contact, deal, lead.value_note)


def _row(
    lead: LegacyLead | OldLead, outcome: str, why: str, contact: str, opportunity: str, value_note: str
) -> ReportRow:
    value = "" if lead.estimated_value is None else f"{lead.estimated_value:.2f}"
    own = (lead.public_id, lead.external_id, lead.name, lead.email, lead.status, value, lead.currency)
    return ReportRow(*own, str(LegacyLead.Outcome(outcome).label), why, contact, opportunity, value_note)


def as_csv(row: Iterable[str]) -> str:
    """Return a CSV line, safe for spreadsheets."""
    line = StringIO()
    csv.writer(line).writerow([escape(cell) for cell in row])
    return line.getvalue()
