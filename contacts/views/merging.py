"""Merging of duplicates: find, compare side by side, merge."""

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit import values as audited
from contacts.addresses import LISTS, PHONE
from contacts.axes import FURTHEST, LIFECYCLE
from contacts.models import Contact, ContactAddress
from contacts.verbs.merge import merge
from crm.kit.responses import toast
from crm.kit.timelimit import time_limit
from crm.kit.translation import gettext as _
from crm.lists.paging import LONGEST, search
from crm.records.facts import fact
from crm.records.forms import current, editable_fields
from crm.records.validation import storage_key
from crm.records.views.pages import find, rows_of
from crm.users.http import Request
from crm.users.limits import limited, searches


@require_http_methods(["GET", "POST"])
@limited("search", applies=searches)
def merge_page(request: Request, public_id: str) -> HttpResponse:
    """Choose the duplicate, then the value to keep per field, then merge."""
    survivor = find(request, Contact, public_id)
    other_id = request.POST.get("other") or request.GET.get("other")
    if not other_id:
        return _choose(request, survivor)
    other = find(request, Contact, other_id)
    differing = _differing(survivor, other)
    if request.method == "POST":
        theirs = [field for field in differing if request.POST.get(f"keep-{field.key}") == "other"]
        chosen = {field.key: audited.read_value(other, storage_key(field)) for field in theirs}
        outcome = merge(survivor, rows_of(other), by=request.actor, choose=chosen)
        sentence = _("Merged {other} into {survivor}.").format(other=other, survivor=survivor)
        toast(request, sentence, undo_url=reverse("undo", args=[outcome.change]))
        return redirect(survivor)
    context = {
        "survivor": survivor,
        "other": other,
        "rows": [_row(field, survivor, other) for field in differing],
        "stage": LIFECYCLE.value(max(survivor.lifecycle_stage, other.lifecycle_stage, key=FURTHEST.index)),
    }
    return render(request, "contacts/merge.html", context)


def _choose(request: Request, survivor: Contact) -> HttpResponse:
    people = Contact.objects.live().visible_to(request.actor).exclude(pk=survivor.pk).select_related("company")
    query = request.GET.get("q", "").strip()[:LONGEST]
    found = search(people, query, request.actor) if query else _alike(people, survivor)
    with time_limit():
        candidates = list(found.order_by("name_key")[:20])
    context = {"survivor": survivor, "candidates": candidates, "q": query}
    return render(request, "contacts/merge_choose.html", context)


def _alike(people: QuerySet, survivor: Contact) -> QuerySet:
    """Return likely duplicates: same name or same phone."""
    numbers = ContactAddress.objects.filter(kind=PHONE, key__in=survivor.addresses.filter(kind=PHONE).values("key"))
    return people.filter(Q(name_key=survivor.name_key) | Q(pk__in=numbers.exclude(key="").values("contact")))


def _differing(survivor: Contact, other: Contact) -> list:
    """Return the fields in which both have values that differ, without those of which a merge keeps all."""
    kept = {"external_id", "status", *LISTS}
    fields = [field for field in editable_fields("contact") if field.key not in kept]
    pairs = [(field, current(survivor, field), current(other, field)) for field in fields]
    return [field for field, ours, theirs in pairs if ours and theirs and ours != theirs]


def _row(field, survivor: Contact, other: Contact) -> dict:
    return {"field": field, "survivor": fact(survivor, field).value, "other": fact(other, field).value}
