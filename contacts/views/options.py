"""Completions while typing: names for a link field, names of time zones. The fields work as plain text without them."""

from zoneinfo import available_timezones

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from contacts.views.records import MODELS
from crm.kit.actor import Actor
from crm.lists.rows import search
from crm.users.http import Request

SHOWN = 10


@require_GET
def options(request: Request) -> HttpResponse:
    """Options for `q` of an `entity` (contact, company, timezone), each as its field reads it."""
    entity, query = request.GET.get("entity", ""), request.GET.get("q", "").strip()[:200]
    if entity != "timezone" and entity not in MODELS:
        raise Http404
    found = _zones(query) if entity == "timezone" else _records(entity, query, request.actor)
    return render(request, "contacts/options.html", {"options": found})


def _records(entity: str, query: str, by: Actor) -> list[tuple[str, str]]:
    about = "email" if entity == "contact" else "city"
    rows = search(MODELS[entity].objects.live().visible_to(by), query).order_by("name_key", "pk")
    found = rows.values_list("name", "public_id", about)[:SHOWN]
    return [(f"{name} ({public_id})", note) for name, public_id, note in found]


def _zones(query: str) -> list[tuple[str, str]]:
    wanted = query.casefold().replace(" ", "_")
    return [(name, "") for name in sorted(available_timezones()) if wanted in name.casefold()][:SHOWN]
