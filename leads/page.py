"""Where a lead stands and what can be done with it now, for its page and for the panel on its contact's."""

from dataclasses import replace

from crm.kit import clock
from crm.kit.actor import Actor
from crm.lifecycle.offers import Offer, offers
from leads.axes import NEXT_ACTION, STAGE, STATUS
from leads.models import Lead
from leads.verbs.convert import NOT_READY
from leads.verbs.qualify import BACKWARD


def lead_context(lead: Lead) -> dict:
    """Its badges, what is next (source 003), its score if it has one, and its floor and deadline while they count."""
    now, score = clock.now(), getattr(lead, "score", None)
    held = lead.is_open and lead.floor_until is not None and lead.floor_until > now
    owed = lead.is_open and lead.contacted_at is None and lead.contact_by is not None
    return {
        "lead": lead,
        "status": STATUS.value(lead.status),
        "stage": STAGE.value(lead.stage),
        "next_action": NEXT_ACTION[lead.stage] if lead.status != "lost" else "",
        "score": score,
        "points": score and f"{score.score_tenths / 10:.1f}",
        "floor": STAGE.value(lead.floor_stage) if held else None,
        "deadline": lead.contact_by if owed else None,
        "is_overdue": bool(owed and lead.contact_by and lead.contact_by < now),
    }


def lead_offers(lead: Lead, by: Actor, *, editable: bool) -> list[Offer]:
    """What can be done now, each with the sentence why not: the status's moves, and the stage by hand.

    The next step of an open lead is always named; of a closed one only what its status allows.
    """
    found = offers(lead, STATUS, by=by, editable=editable)
    if lead.is_open:
        found = [_of_an_open_one(offer, lead) for offer in found]
        found += [_to_qualify(offer, lead) for offer in offers(lead, STAGE, by=by, editable=editable)]
    return [offer for offer in found if offer.is_near]


def _of_an_open_one(offer: Offer, lead: Lead) -> Offer:
    """Converting asks for the stage; and a lead that its score has moved on is still owed its first contact."""
    if offer.move.verb == "convert":
        return replace(offer, is_near=True, why_not=offer.why_not if lead.stage == "sales_qualified" else NOT_READY)
    if offer.move.verb == "first_contact" and lead.status != "new" and lead.contacted_at is None:
        return replace(offer, is_near=True, why_not="")
    return offer


def _to_qualify(offer: Offer, lead: Lead) -> Offer:
    return replace(offer, why_not=BACKWARD) if lead.stage == "sales_qualified" else offer
