"""My day and global search."""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from contacts.axes import LIFECYCLE
from contacts.day import my_tasks, sections
from contacts.models import Company, Contact
from crm.kit.actor import Actor
from crm.kit.timelimit import TooSlow, time_limit
from crm.lists.paging import LONGEST, search
from crm.records.registry import RECORD_TYPES
from crm.users.http import Request
from crm.users.limits import limited, searches

NEW_DAYS = 7
SHOWN = 50


@require_GET
def my_day(request: Request) -> HttpResponse:
    """Show a member's day: overdue items, tasks by due date, leads, opportunities and new contacts."""
    now, by = timezone.now(), request.actor
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    tasks = list(
        my_tasks(by).select_related("contact", "company").order_by(F("due_at").asc(nulls_last=True), "pk")[:SHOWN]
    )
    mine = Contact.objects.live().filter(owner=by.member_id, lifecycle_stage="lead")
    fresh = mine.filter(created_at__gte=now - timedelta(days=NEW_DAYS)).select_related("company")
    context = {
        "overdue": [task for task in tasks if task.due_at and task.due_at < now],
        "today": [task for task in tasks if task.due_at and now <= task.due_at < midnight],
        "later": [task for task in tasks if task.due_at is None or task.due_at >= midnight],
        "people": fresh.order_by("-created_at", "-pk")[:SHOWN],
        "stages": {choice.value: choice for choice in LIFECYCLE.values},
        "sections": sections(by),
    }
    return render(request, "contacts/my_day.html", context)


@require_GET
@limited("search", applies=searches)
def search_page(request: Request) -> HttpResponse:
    """Show contacts and companies by name, email, phone or company, plus searchable records of upper apps."""
    query, by = request.GET.get("q", "").strip()[:LONGEST], request.actor
    context: dict[str, Any] = {"q": query, "contacts": [], "companies": [], "others": [], "too_slow": ""}
    if query:
        try:
            with time_limit():
                contacts = search(Contact.objects.live().visible_to(by), query, by).select_related("company")
                companies = search(Company.objects.live().visible_to(by), query, by)
                context["contacts"] = list(contacts.order_by("-last_activity", "-pk")[:20])
                context["companies"] = list(companies.order_by("name_key")[:10])
                context["others"] = _others(query, by)
        except TooSlow as error:
            context["too_slow"] = str(error)
    context["nothing"] = not (context["contacts"] or context["companies"] or any(rows for _, rows in context["others"]))
    template = "contacts/search_results.html" if request.htmx else "contacts/search.html"
    return render(request, template, context)


def _others(query: str, by: Actor) -> list[tuple[str, list]]:
    """Return searchable records of upper apps: template and newest matches."""
    found = []
    for kind in (kind for kind in RECORD_TYPES.values() if kind.found):
        rows = search(kind.model.objects.live().visible_to(by), query, by, ("search_text",))
        found.append((kind.found, list(rows.select_related(*kind.related).order_by("-created_at", "-pk")[:10])))
    return found
