"""The legacy workspace at /lead: the pages of all record types, while it is open."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern
from django.views.decorators.http import require_GET

from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.read_tracking import uncounted_reads
from crm.kit.responses import warn
from crm.kit.timelimit import TooSlow, time_limit
from crm.legacy_leads.access import access_state
from crm.legacy_leads.entities import LEGACY_LEAD
from crm.legacy_leads.models import LegacyLead, MovedLead
from crm.legacy_leads.panels import legacy_lead_facts
from crm.lists.paging import search
from crm.users.http import Request
from crm.users.limits import limited, searches
from crm.users.visibility import may_see

ACTIVE_LEADS = "/contact?view=contacts_leads"  # replaces the legacy workspace (source 000)
KEPT_FACTS = ("email", "phone", "company_name", "source", "external_id")
PAGE = 50
DIGITS = 19  # in the largest possible key
READING = {f"legacy_lead_{name}" for name in ("list", "count", "filter", "narrow", "columns", "timeline", "export")}


def while_open(route: URLPattern) -> URLPattern:
    """Wrap an old page's route: redirect to Active Leads if closed or empty; refuse changes during a migration."""
    route.callback = _gated(route.callback, is_read=route.name in READING | {"legacy_lead"})
    return route


def _gated(view: Callable[..., HttpResponseBase], *, is_read: bool) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def gated(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        now = access_state()
        if not now.is_open:
            return _elsewhere(request, kwargs.get("public_id", ""))
        if now.why_readonly and not is_read:
            raise Refused(now.why_readonly)
        if now.why_readonly and not request.htmx:
            warn(request, now.why_readonly)
        with uncounted_reads():  # the drop's clock starts at the commit, which closes these pages
            return view(request, *args, **kwargs)

    return gated


def _elsewhere(request: Request, public_id: str) -> HttpResponse:
    """Redirect to a legacy lead's contact or show its kept facts, if visible; otherwise redirect to Active Leads."""
    if not public_id:
        return redirect(ACTIVE_LEADS)
    contact = Contact.objects.visible_to(request.actor).filter(old_leads_moved__public_id=public_id).first()
    if contact:
        return redirect(contact)
    lead = unmigrated_leads(request.actor).select_related("owner__user").filter(public_id=public_id).first()
    return _stayed_page(request, lead) if lead else redirect(ACTIVE_LEADS)


def _stayed_page(request: Request, lead: MovedLead) -> HttpResponse:
    kept_values = legacy_lead_facts(lead)
    facts = [(LEGACY_LEAD.fields[key].label, kept_values[key]) for key in KEPT_FACTS if kept_values[key]]
    return render(request, "legacy_leads/stayed.html", {"lead": lead, "facts": facts, **kept_values})


def unmigrated_leads(by: Actor) -> QuerySet[MovedLead]:
    """Return unmigrated legacy leads visible to `by`."""
    return MovedLead.objects.visible_to(by).filter(contact__isnull=True)


@require_GET
@limited("search", applies=searches)
def unmigrated_list(request: Request) -> HttpResponse:
    """Show unmigrated legacy leads, newest first, with search by name, email, phone or company."""
    query, last = request.GET.get("q", "").strip()[:200], request.GET.get("after", "")
    rows = unmigrated_leads(request.actor).order_by("-pk")
    if last.isdecimal() and len(last) < DIGITS:
        rows = rows.filter(pk__lt=int(last))
    context: dict[str, Any] = {"q": query, "rows": [], "after": "", "too_slow": ""}
    try:
        with time_limit(3):
            found = list((search(rows, query, request.actor, ("search_text",)) if query else rows)[: PAGE + 1])
            context["rows"] = [{"lead": lead, **legacy_lead_facts(lead)} for lead in found[:PAGE]]
            context["after"] = found[PAGE - 1].pk if len(found) > PAGE else ""
    except TooSlow as error:
        context["too_slow"] = str(error)
    return render(request, "legacy_leads/stayed_list.html", context)


def legacy_lead_page(lead: LegacyLead, by: Actor, editable: bool) -> dict[str, Any]:
    return {
        "status": LEGACY_LEAD.fields["status"].choice(lead.status),
        "contact": lead.contact if lead.contact and may_see(lead.contact, by) else None,
    }
