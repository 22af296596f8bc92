"""Contact panel of its legacy leads."""

from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from contacts.models import Contact
from crm.legacy_leads.entities import LEGACY_LEAD
from crm.legacy_leads.models import MovedLead
from crm.users.http import Request

SHOWN = 10


def legacy_panel(contact: Contact, request: Request) -> SafeString:
    """Show the contact's legacy leads, including merged contacts', latest first; '' without any."""
    theirs = Q(contact=contact) | Q(contact__merged_into=contact)
    leads = MovedLead.objects.visible_to(request.actor).filter(theirs).order_by("-pk")[:SHOWN]
    rows = [legacy_lead_facts(lead) for lead in leads]
    return render_to_string("legacy_leads/panel.html", {"rows": rows}) if rows else SafeString("")


def legacy_lead_facts(lead: MovedLead) -> dict[str, Any]:
    told = lead.told
    typed: dict[str, Any] = {"status": LEGACY_LEAD.fields["status"].choice(told["status"])}
    typed |= {name: told[name] and parse_datetime(told[name]) for name in ("created_at", "archived_at")}
    typed["estimated_value"] = None if told["estimated_value"] is None else Decimal(told["estimated_value"])
    return told | typed
