"""Merging of duplicates: find, compare side by side, merge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit import values as audited
from contacts.addresses import LISTS, PHONE
from contacts.axes import FURTHEST, LIFECYCLE
from contacts.models import Company, Contact, ContactAddress
from contacts.verbs.merge import merge
from contacts.verbs.merge_companies import merge_companies
from crm.kit.outcome import Outcome
from crm.kit.responses import toast
from crm.kit.timelimit import time_limit
from crm.kit.translation import gettext as _
from crm.lists.paging import LONGEST, search
from crm.records.facts import fact
from crm.records.forms import current, editable_fields
from crm.records.models import Record
from crm.records.validation import storage_key
from crm.records.views.pages import find_record, rows_of
from crm.users.http import Request
from crm.users.limits import limited, searches


@dataclass(frozen=True)
class Mergeable:
    """How records of one model are merged.

    `alike` is the condition of likely duplicates, `settled` the fields that a merge decides itself, `result` further
    context of the page that compares two.
    """

    model: type[Record]
    verb: Callable[..., Outcome]
    alike: Callable[[Any], Q]
    settled: tuple[str, ...]
    result: Callable[[Any, Any], dict[str, Any]] = lambda survivor, other: {}


def _alike_contacts(survivor: Contact) -> Q:
    """Return the condition: the same name or phone."""
    phones = survivor.addresses.filter(kind=PHONE).exclude(key="").values("key")
    numbers = ContactAddress.objects.filter(kind=PHONE, key__in=phones)
    return Q(name_key=survivor.name_key) | Q(pk__in=numbers.values("contact"))


def _alike_companies(survivor: Company) -> Q:
    """Return the condition: the same name, phone, website or domain, or a name that begins with the other's."""
    alike = Q(name_key=survivor.name_key) | Q(name_key__startswith=f"{survivor.name_key} ")
    alike |= Q(domain_rows__domain__in=survivor.domains) if survivor.domains else Q()
    for key in ("phone", "website"):
        alike |= Q(**{key: value}) if (value := getattr(survivor, key)) else Q()
    return alike


def _stage(survivor: Contact, other: Contact) -> dict[str, Any]:
    return {"stage": LIFECYCLE.value(max(survivor.lifecycle_stage, other.lifecycle_stage, key=FURTHEST.index))}


MERGEABLE = {
    "contact": Mergeable(Contact, merge, _alike_contacts, ("external_id", "status", *LISTS), _stage),
    "company": Mergeable(Company, merge_companies, _alike_companies, ("external_id", "other_domains")),
}


@require_http_methods(["GET", "POST"])
@limited("search", applies=searches)
def merge_page(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Choose the duplicate, then the value to keep per field, then merge."""
    survivor = find_record(request, entity, public_id)
    other_id = request.POST.get("other") or request.GET.get("other")
    if not other_id:
        return _choose(request, entity, survivor)
    other = find_record(request, entity, other_id)
    differing = _differing(entity, survivor, other)
    if request.method == "POST":
        theirs = [field for field in differing if request.POST.get(f"keep-{field.key}") == "other"]
        chosen = {field.key: audited.read_value(other, storage_key(field)) for field in theirs}
        outcome = MERGEABLE[entity].verb(survivor, rows_of(other), by=request.actor, choose=chosen)
        sentence = _("Merged {other} into {survivor}.").format(other=other, survivor=survivor)
        toast(request, sentence, undo_url=reverse("undo", args=[outcome.change]))
        return redirect(survivor)
    rows = [_row(field, survivor, other) for field in differing]
    context = {"survivor": survivor, "other": other, "rows": rows} | MERGEABLE[entity].result(survivor, other)
    return render(request, "contacts/merge.html", context)


def _choose(request: Request, entity: str, survivor: Record) -> HttpResponse:
    others: QuerySet = MERGEABLE[entity].model.objects.live().visible_to(request.actor).exclude(pk=survivor.pk)
    query = request.GET.get("q", "").strip()[:LONGEST]
    found = search(others, query, request.actor) if query else others.filter(MERGEABLE[entity].alike(survivor))
    found = found.select_related("company") if entity == "contact" else found.distinct()
    with time_limit():
        candidates = list(found.order_by("name_key")[:20])
    context = {"entity": entity, "survivor": survivor, "candidates": candidates, "q": query}
    return render(request, "contacts/merge_choose.html", context)


def _differing(entity: str, survivor: Record, other: Record) -> list:
    """Return the fields in which both have values that differ."""
    fields = [field for field in editable_fields(entity) if field.key not in MERGEABLE[entity].settled]
    pairs = [(field, current(survivor, field), current(other, field)) for field in fields]
    return [field for field, ours, theirs in pairs if ours and theirs and ours != theirs]


def _row(field, survivor: Record, other: Record) -> dict:
    return {"field": field, "survivor": fact(survivor, field).value, "other": fact(other, field).value}
