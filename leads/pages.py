"""Lead summaries and moves, for the pages of lead, contact and opportunity."""

from dataclasses import replace
from typing import Any

from django.db.models import Case, Value, When
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from contacts.models import Contact
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.lifecycle.offers import OfferedMove, offers
from crm.opportunities.models import Opportunity
from crm.users.http import Request
from crm.users.visibility import may_edit
from leads.axes import NEXT_ACTION, OPEN, STAGE, STATUS
from leads.models import Lead
from leads.open_leads import PROSPECTS
from leads.verbs.convert import NOT_READY
from leads.verbs.qualify import BACKWARD


def lead_summary_context(lead: Lead) -> dict:
    """Return badges, next action (source 003), score, and any current floor and deadline."""
    now, score = clock.now(), getattr(lead, "score", None)
    held = lead.is_open and lead.floor_until is not None and lead.floor_until > now
    owed = lead.is_open and lead.contacted_at is None and lead.contact_by is not None
    return {
        "lead": lead,
        "status": STATUS.value(lead.status),
        "stage": STAGE.value(lead.stage),
        "next_action": NEXT_ACTION[lead.stage] if lead.status != "lost" else "",
        "score": score,
        "points": score and formats.number(score.score_tenths / 10, 1),
        "floor": STAGE.value(lead.floor_stage) if held else None,
        "deadline": lead.contact_by if owed else None,
        "is_overdue": bool(owed and lead.contact_by and lead.contact_by < now),
    }


def lead_offers(lead: Lead, by: Actor, *, editable: bool) -> list[OfferedMove]:
    """Return the possible moves, each with the reason if blocked: the status's moves, and the manual stage.

    An open lead's next step is always included; a closed one shows only its status's moves.
    """
    found = offers(lead, STATUS, by=by, editable=editable)
    if lead.is_open:
        found = [_of_an_open_one(offer, lead) for offer in found]
        found += [_to_qualify(offer, lead) for offer in offers(lead, STAGE, by=by, editable=editable)]
    return [offer for offer in found if offer.is_near]


def _of_an_open_one(offer: OfferedMove, lead: Lead) -> OfferedMove:
    """Adjust an open lead's move: conversion needs the stage; a first contact is due at every stage."""
    if offer.move.verb == "convert":
        return replace(offer, is_near=True, why_not=offer.why_not if lead.stage == "sales_qualified" else NOT_READY)
    if offer.move.verb == "first_contact" and lead.status != "new" and lead.contacted_at is None:
        return replace(offer, is_near=True, why_not="")
    return offer


def _to_qualify(offer: OfferedMove, lead: Lead) -> OfferedMove:
    return replace(offer, why_not=BACKWARD) if lead.stage == "sales_qualified" else offer


def lead_page(lead: Lead, by: Actor, editable: bool) -> dict[str, Any]:
    """Return the lead's state and moves, and its contact and opportunity if visible to the actor."""
    opportunities = Opportunity.objects.live().visible_to(by).filter(pk=lead.opportunity_id)
    return lead_summary_context(lead) | {
        "offers": lead_offers(lead, by, editable=editable),
        "contact": Contact.objects.visible_to(by).filter(pk=lead.contact_id).first(),
        "opportunity": opportunities.first() if lead.opportunity_id else None,
    }


SHOWN = 10
OPEN_FIRST = Case(When(status__in=OPEN, then=Value(0)), default=Value(1))


def lead_panel(contact: Any, request: Request) -> SafeString:
    """Show the contact's open lead with its moves, or a way to create one."""
    by = request.actor
    found = Lead.objects.live().visible_to(by).filter(contact=contact).select_related("score")
    leads = list(found.order_by(OPEN_FIRST, "-created_at", "-pk")[:SHOWN])
    context: dict[str, Any] = {"contact": contact, "cycles": [lead_summary_context(lead) for lead in leads]}
    if leads and leads[0].is_open:
        editable = may_edit(leads[0], by) and contact.deleted_at is None
        context |= context["cycles"].pop(0) | {"offers": lead_offers(leads[0], by, editable=editable)}
        context["editable"] = editable
    may = may_edit(contact, by) and contact.deleted_at is None and contact.lifecycle_stage in PROSPECTS
    return render_to_string("leads/panel.html", context | {"may_open": may}, request)


def origin_lead(opportunity: Any, request: Request) -> SafeString:
    """Show the lead of an opportunity, if visible; '' without one."""
    lead = Lead.objects.live().visible_to(request.actor).filter(opportunity=opportunity).first()
    return render_to_string("leads/origin.html", {"lead": lead}, request) if lead else SafeString()
