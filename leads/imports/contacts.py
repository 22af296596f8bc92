"""Lead columns in contact files, e.g. lead.fleet_size."""

from collections.abc import Sequence
from typing import Any

from audit.models import Entry
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.models import ImportRun, OnMatch
from crm.records.imports import to_change
from crm.records.writing import apply_each
from crm.users.visibility import may_edit
from leads.models import Lead

NOTE = _("Lead columns only apply to open leads and to the leads of new contacts.")
NOT_YOURS = _("View only – this lead belongs to someone else.")


def write_leads(rows: Sequence[tuple[int, IncomingRow]], run: ImportRun, by: Actor) -> tuple[set[int], Refused]:
    """Fill open leads of contacts (locked, by key) from their rows; return the changed lines and the rejected ones.

    A few statements for any number of rows. Under "fill" a newly created lead takes all values of its row, because its
    own values come from the contact. Rows of contacts without an open lead are skipped (see NOTE).
    """
    found = Lead.objects.open().filter(contact__pk__any_of=[pk for pk, _ in rows]).order_by("pk")
    leads = {lead.contact_id: lead for lead in found.select_for_update(of=("self",))}
    fresh = _opened_now(leads, by) if run.on_match == OnMatch.FILL else set(leads)
    changed: dict[int, tuple[Lead, dict[str, Any]]] = {}
    for pk, row in rows:
        if lead := leads.get(pk):
            mode = OnMatch.UPDATE if pk in fresh else run.on_match
            if values := to_change(lead, row.related["lead"], mode):
                changed[row.line] = lead, values
    refused: Refused = {line: ("", str(NOT_YOURS)) for line, (lead, _) in changed.items() if not may_edit(lead, by)}
    if not refused:
        apply_each(list(changed.values()), by=by)
    return set(changed), refused


def _opened_now(leads: dict[int, Lead], by: Actor) -> set[int]:
    keys = [lead.pk for lead in leads.values()]
    made = Entry.objects.filter(
        change__unindexed=by.change, event="lead.created", entity="lead", entity_id__any_of=keys
    )
    mine = set(made.values_list("entity_id", flat=True))
    return {contact for contact, lead in leads.items() if lead.pk in mine}
