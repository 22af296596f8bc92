"""The panel on a contact's page: the open lead, what can be done with it, and the cycles before."""

from typing import Any

from django.db.models import Case, F, OuterRef, QuerySet, Value, When
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from audit.values import from_json, model_field, write
from crm.kit.actor import Actor
from crm.kit.sql import JsonPairs
from crm.lists.panels import register
from crm.users.http import Request
from crm.users.visibility import may_edit
from leads.axes import OPEN
from leads.models import Lead, Score
from leads.opening import PROSPECTS
from leads.standing import lead_offers, standing

SHOWN = 10
# What only a list, a search or another page is interested in.
ELSEWHERE = {"workspace", "custom", "search_text", "description", "campaign", "counts_from", "external_id", "version"}
COLUMNS = [field.name for field in Lead._meta.concrete_fields if field.name not in ELSEWHERE]
SCORES = ("fit", "engagement", "score_tenths")
SCORE: Any = Lead._meta.get_field("score")


def _cycles(by: Actor) -> QuerySet:
    """The leads of a contact that somebody sees, the open one first, then the latest."""
    found = Lead.objects.live().visible_to(by).filter(contact=OuterRef("pk"))
    own = {name: (model_field(Lead, name), F(name)) for name in COLUMNS}
    scored = {name: (model_field(Score, name), F(f"score__{name}")) for name in SCORES}
    open_first = Case(When(status__in=OPEN, then=Value(0)), default=Value(1))
    return found.order_by(open_first, "-created_at", "-pk").values(fact=JsonPairs(**own, **scored))[:SHOWN]


def panel(contact: Any, request: Request) -> SafeString:
    """Where the contact's open lead stands, and what can be done about it; without one, the way to open it."""
    by = request.actor
    leads = [_lead(row) for row in contact.lead_cycles or ()]
    context: dict[str, Any] = {"contact": contact, "cycles": [standing(lead) for lead in leads]}
    if leads and leads[0].is_open:
        editable = may_edit(leads[0], by) and contact.deleted_at is None
        context |= context["cycles"].pop(0) | {"offers": lead_offers(leads[0], by, editable=editable)}
        context["editable"] = editable
    may = may_edit(contact, by) and contact.deleted_at is None and contact.lifecycle_stage in PROSPECTS
    return render_to_string("leads/panel.html", context | {"may_open": may}, request)


def _lead(row: dict) -> Lead:
    """The lead that a fact tells, in memory: the page's one statement for the contact has read it."""
    lead = Lead()
    for name in COLUMNS:
        write(lead, name, from_json(Lead, name, row[name]))
    scored = row["score_tenths"] is not None
    score = Score(lead=lead, **{name: row[name] for name in SCORES}) if scored else None
    SCORE.set_cached_value(lead, score)  # or asking for it would read it again
    return lead


def _origin(by: Actor) -> QuerySet:
    """The lead that an opportunity was converted from, for those who see it."""
    found = Lead.objects.live().visible_to(by).filter(opportunity=OuterRef("pk"))
    pairs = {name: (model_field(Lead, name), F(name)) for name in ("public_id", "created_at", "converted_date")}
    return found.values(fact=JsonPairs(**pairs))[:1]


def origin(opportunity: Any, request: Request) -> SafeString:
    """The way from an opportunity to its lead; nothing for one that came without."""
    if not opportunity.origin:
        return SafeString()
    row = opportunity.origin[0]
    dates = {name: from_json(Lead, name, row[name]) for name in ("created_at", "converted_date")}
    return render_to_string("leads/origin.html", {"public_id": row["public_id"]} | dates, request)


register("contact", panel, lead_cycles=_cycles)
register("opportunity", origin, origin=_origin)
