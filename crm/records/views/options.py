"""Completions while typing, for link and time zone fields, which also work as plain text."""

from zoneinfo import available_timezones

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.entities.people import MemberOrTeam, members
from crm.entities.registry import get
from crm.kit.actor import Actor
from crm.kit.text import search_key
from crm.kit.timelimit import time_limit
from crm.lists.paging import LONGEST, search
from crm.records.registry import RECORD_TYPES
from crm.users.http import Request
from crm.users.limits import limited, searches
from crm.users.models import Membership

SHOWN = 10


@require_GET
@limited("search", applies=searches)
def options(request: Request) -> HttpResponse:
    """Return options for `q` of an `entity` (contact, company, timezone, handle, …), in the field's input format."""
    entity, query = request.GET.get("entity", ""), request.GET.get("q", "").strip()[:LONGEST]
    if entity in OTHERS:
        found = OTHERS[entity](query)
    elif entity in {kind.entity.name for kind in RECORD_TYPES.values()}:
        found = _records(entity, query, request.actor)
    else:
        raise Http404
    return render(request, "records/options.html", {"options": found})


def _records(entity: str, query: str, by: Actor) -> list[tuple[str, str]]:
    kind, about = RECORD_TYPES[entity], get(entity)
    rows = search(kind.model.objects.live().visible_to(by), query, by)
    rows = rows.order_by(about.fields[about.title].sort or about.title_path, "pk")
    with time_limit():
        found = list(rows.values_list(about.title_path, "public_id", kind.hint)[:SHOWN])
    return [(f"{name} ({public_id})", note) for name, public_id, note in found]


def _zones(query: str) -> list[tuple[str, str]]:
    wanted = query.casefold().replace(" ", "_")
    return [(name, "") for name in sorted(available_timezones()) if wanted in name.casefold()][:SHOWN]


def _handles(query: str) -> list[tuple[str, str]]:
    """Return active members whose handle, or a word of whose name, begins with the query."""
    active = set(Membership.objects.active().values_list("pk", flat=True))
    wanted, people = search_key(query), members().rows.values()
    found = [row for row in people if row.pk in active and _begins(wanted, row)]
    return [(row.handle, row.label) for row in sorted(found, key=lambda row: row.handle)[:SHOWN]]


def _begins(wanted: str, row: MemberOrTeam) -> bool:
    return any(word.startswith(wanted) for word in (row.handle, *search_key(row.label).split()))


OTHERS = {"timezone": _zones, "handle": _handles}
