"""Matching of rows to legacy leads: by external ID, then by name, email and day; a person may have several."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.text import email_key
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.models import LegacyLead
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.imports.repeats import without_repeats
from crm.lists.imports.scratch import Scratch
from crm.opportunities.imports.matching import rows_with_contacts
from crm.users.visibility import may_edit

NAMED_BY = ("name", "first_name", "last_name", "email", "company_name", "phone")
NAMELESS = _("Enter a name, an email or a company.")
NOT_YOURS = _("View only – this legacy lead belongs to someone else.")
UNSEEN = _("This external ID belongs to a legacy lead that you can’t see.")


@dataclass(slots=True)
class LeadMatch:
    """A row, its contact (None: none), and its locked legacy lead (None: new)."""

    row: IncomingRow
    contact: Contact | None
    lead: LegacyLead | None = None


def match_leads(rows: Sequence[IncomingRow], scratch: Scratch, by: Actor) -> tuple[list[LeadMatch], Refused]:
    """Return the rows' legacy leads and contacts, in a handful of statements, and unknown or repeated rows."""
    refused: Refused = {}
    found = [LeadMatch(row, contact) for row, contact in rows_with_contacts(rows, by, refused)]
    _find(found, by, refused)
    for new in (each for each in found if each.lead is None):
        if not any(new.row.own.get(key) for key in NAMED_BY):
            refused[new.row.line] = ("", str(NAMELESS))
    fit = [each for each in found if each.row.line not in refused]
    return without_repeats(fit, lambda each: [_key(each.row.own)], scratch, refused), refused


def _find(matches: Sequence[LeadMatch], by: Actor, refused: Refused) -> None:
    """Set each row's legacy lead; of several rows for one, only the first's."""
    wanted = {_key(each.row.own): each for each in reversed(matches)}
    for lead in _held(matches):
        keys = (_key(_told(lead)), _key(_told(lead, dated=False)))
        each = next((wanted[key] for key in keys if key in wanted), None)
        if each and each.lead is None:
            each.lead = lead
    rows = [each.lead.pk for each in matches if each.lead]
    seen = set(LegacyLead.objects.visible_to(by).filter(pk__any_of=rows).values_list("pk", flat=True))
    for each in matches:
        if each.lead and each.lead.pk not in seen:
            refused[each.row.line] = ("", str(UNSEEN))
        elif each.lead and not may_edit(each.lead, by):
            refused[each.row.line] = ("", str(NOT_YOURS))


def _held(matches: Iterable[LeadMatch]) -> list[LegacyLead]:
    live, own = LegacyLead.objects.live(), [each.row.own for each in matches]
    external = [values["external_id"] for values in own if "external_id" in values]
    names = [_name(values) for values in own if "external_id" not in values]
    ids = {*live.filter(external_id__any_of=external).values_list("pk", flat=True)} if external else set()
    ids |= {*live.filter(external_id="", name__any_of=names).values_list("pk", flat=True)} if names else set()
    rows = live.filter(pk__any_of=list(ids)).order_by("pk")
    return list(rows.select_for_update(of=("self",))) if ids else []


def _told(lead: LegacyLead, *, dated: bool = True) -> dict[str, Any]:
    identity = {"external_id": lead.external_id, "name": lead.name, "email": lead.email}
    return identity | ({"created_at": lead.created_at} if dated else {})


def _name(own: dict[str, Any]) -> str:
    lead = LegacyLead(**{key: own.get(key, "") for key in NAMED_BY})
    lead.derive()
    return lead.name


def _key(own: dict[str, Any]) -> str:
    if own.get("external_id"):
        return f"id {own['external_id']}"
    return f"name {_name(own)} {email_key(own.get('email', ''))} {own.get('created_at', '')}"
