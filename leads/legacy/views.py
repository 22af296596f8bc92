"""The old workspace at /lead: the pages that every kind of record has, while it is open."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern
from django.views.decorators.http import require_GET

from contacts.models import Contact
from contacts.views.records import common, find, readonly
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.responses import warn
from crm.users.http import Request
from crm.users.visibility import may_edit, may_see
from leads.legacy.entities import LEGACY_LEAD
from leads.legacy.models import LegacyLead
from leads.legacy.timeline import of_legacy_lead
from leads.legacy.window import standing

ACTIVE_LEADS = "/contact?view=contacts_leads"  # what replaces the old workspace (source 000)
READING = {f"legacy_lead_{name}" for name in ("list", "count", "filter", "narrow", "columns", "timeline", "export")}


def while_open(route: URLPattern) -> URLPattern:
    """The route of an old page, which leads to Active Leads once the migration is committed, and where there is
    nothing old; while a migration runs, what would change something answers with a sentence."""
    route.callback = _gated(route.callback, is_read=route.name in READING | {"legacy_lead"})
    return route


def _gated(view: Callable[..., HttpResponseBase], *, is_read: bool) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def gated(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        now = standing()
        if not now.is_open:
            return redirect(_now_at(kwargs.get("public_id", ""), request.actor))
        if now.why_readonly and not is_read:
            raise Refused(now.why_readonly)
        if now.why_readonly and not request.htmx:
            warn(request, now.why_readonly)
        return view(request, *args, **kwargs)

    return gated


def _now_at(public_id: str, by: Actor) -> str:
    """The address of what an old lead became, for whoever sees it; else Active Leads."""
    moved = Contact.objects.visible_to(by).filter(old_leads_moved__public_id=public_id) if public_id else None
    contact = moved.first() if moved is not None else None
    return contact.get_absolute_url() if contact else ACTIVE_LEADS


@require_GET
def legacy_lead_page(request: Request, public_id: str) -> HttpResponse:
    """One old lead: facts, what happened, and the contact it is linked to."""
    lead, by = cast(LegacyLead, find(request, "legacy_lead", public_id)), request.actor
    editable = may_edit(lead, by) and lead.deleted_at is None and lead.archived_at is None
    items, tasks, more = of_legacy_lead(lead, by)
    context = common(request, "legacy_lead", lead, editable, items, tasks, more)
    context["status"] = LEGACY_LEAD.fields["status"].choice(lead.status)
    context["readonly"] = LegacyLead.objects.all().FINAL[1] if lead.archived_at else readonly(lead, by)
    context["contact"] = lead.contact if lead.contact and may_see(lead.contact, by) else None
    return render(request, "leads/legacy/lead.html", context)
