"""On a contact's page: the old leads that it came from."""

from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from contacts.models import Contact
from crm.kit.actor import Actor
from crm.lists.panels import register
from crm.users.http import Request
from leads.legacy.entities import LEGACY_LEAD
from leads.legacy.models import MovedLead

SHOWN = 10


def _rows(by: Actor) -> QuerySet:
    """The old leads that became a contact, or one merged into it, and that somebody sees, the latest first."""
    theirs = Q(contact=OuterRef("pk")) | Q(contact__merged_into=OuterRef("pk"))
    return MovedLead.objects.visible_to(by).filter(theirs).order_by("-pk").values(fact=F("told"))[:SHOWN]


def panel(contact: Contact, request: Request) -> SafeString:
    """Where the contact came from; nothing for those who were never an old lead."""
    rows = [_typed(told) for told in contact.old_leads or ()]  # type: ignore[attr-defined]
    return render_to_string("leads/legacy/panel.html", {"rows": rows}) if rows else SafeString("")


def shown(lead: MovedLead) -> dict[str, Any]:
    """What is kept of an old lead, as templates show it."""
    return _typed(lead.told)


def _typed(told: dict) -> dict[str, Any]:
    typed: dict[str, Any] = {"status": LEGACY_LEAD.fields["status"].choice(told["status"])}
    typed |= {name: told[name] and parse_datetime(told[name]) for name in ("created_at", "archived_at")}
    typed["estimated_value"] = None if told["estimated_value"] is None else Decimal(told["estimated_value"])
    return told | typed


register("contact", panel, old_leads=_rows)
