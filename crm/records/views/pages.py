"""The page of one record."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from crm.entities.registry import entity_of
from crm.kit.actor import Role
from crm.kit.registry import Hook
from crm.kit.translation import gettext as _
from crm.records.facts import facts
from crm.records.models import Record
from crm.records.panels import panels
from crm.records.registry import RECORD_TYPES, RecordType
from crm.users.http import Request
from crm.users.visibility import RecordQuerySet, may_edit

R = TypeVar("R", bound=Record)
Contributor = Callable[[str, Record, Request], dict[str, Any]]
# Called as hook(entity, record, request); the results extend the context of all record pages.
on_page: Hook[Contributor] = Hook()


def find_record(request: Request, entity: str, public_id: str) -> Record:
    """Return the record called `public_id`; for a page, with its links. Raises Http404 if missing or hidden.

    A POST leads to another page: with links the look-up takes three times as long.
    """
    kind = RECORD_TYPES[entity]
    rows = kind.model.objects.visible_to(request.actor)
    if request.method == "GET":
        rows = rows.select_related(*kind.related)
    return get_object_or_404(rows, public_id=public_id)


def find(request: Request, model: type[R], public_id: str) -> R:
    return cast(R, find_record(request, entity_of(model), public_id))


def rows_of(record: Record) -> RecordQuerySet:
    return type(record).objects.filter(pk=record.pk)


@require_GET
def record_page(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Show one record: facts, moves, timeline."""
    kind, record = RECORD_TYPES[entity], find_record(request, entity, public_id)
    if other := record.replaced_by:
        return redirect(other)
    editable = may_edit(record, request.actor) and record.deleted_at is None
    items, tasks, more = _timeline(kind, request)(record, request.actor)
    context = {
        "entity": entity,
        "kind": kind.entity,
        "record": record,
        # Final records don't change, but their timeline continues.
        "editable": editable and not record.is_final,
        "readonly": readonly(record, request),
        "facts": facts(entity, record),
        "items": items,
        "tasks": tasks,
        "more": more,
        "wide": _is_wide(kind, request),
        "offers_wide": kind.wide_timeline is not None,
        "panels": panels(entity, record, request),
    }
    for contributor in on_page:
        context |= contributor(entity, record, request)
    context |= kind.head(record, request.actor, editable) | kind.page(record, request.actor, editable)
    return render(request, kind.template, context)


def _is_wide(kind: RecordType, request: Request) -> bool:
    """Return whether the request asks for the timeline with the record's people."""
    return kind.wide_timeline is not None and request.GET.get("timeline") == "people"


def _timeline(kind: RecordType, request: Request) -> Callable[..., tuple[list, list, str]]:
    return kind.wide_timeline if kind.wide_timeline and _is_wide(kind, request) else kind.timeline


def readonly(record: Record, request: Request) -> str:
    """Return why the actor cannot change a visible record."""
    final = type(record).objects.all().FINAL
    if record.is_final and final:
        return final[1]
    if not request.actor.is_at_least(Role.REP):
        return _("View only – viewers can’t make changes.")
    if record.owner:
        return _("View only – owned by {owner}.").format(owner=record.owner)
    return _("View only – owned by another team.")


@require_GET
def more_timeline(request: Request, entity: str, public_id: str) -> HttpResponse:
    record = find_record(request, entity, public_id)
    kind = RECORD_TYPES[entity]
    items, _tasks, more = _timeline(kind, request)(record, request.actor, request.GET.get("before", ""))
    context = {"entity": entity, "record": record, "items": items, "more": more, "wide": _is_wide(kind, request)}
    return render(request, "records/timeline_page.html" if not request.htmx else "records/timeline.html", context)
