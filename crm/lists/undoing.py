"""The undo button: immediate, or a run with a progress page."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.undo.hooks import Undone
from crm.entities import registry
from crm.kit import formats
from crm.kit.actor import Role
from crm.kit.errors import DomainError
from crm.kit.responses import back, toast, warn
from crm.kit.timelimit import PATIENT, long_request
from crm.kit.translation import ngettext
from crm.lists.models import ImportRun, UndoRun
from crm.lists.undo_runs import start, summary
from crm.users.http import Request

SHOWN = 100  # kept records on a run's page


@require_POST
def undo_change(request: Request, change: UUID) -> HttpResponse:
    """Undo one change, then return to the user's page or to the progress page of a long undo."""
    try:
        with long_request(PATIENT):
            undone = start(change, by=request.actor)
    except DomainError as error:
        warn(request, str(error))
        return redirect(back(request))
    if isinstance(undone, UndoRun):
        return redirect("undo_progress", change)
    _say(request, undone)
    return redirect(back(request))


def _say(request: Request, undone: Undone) -> None:
    done = ngettext("Undone. {count} change reverted.", "Undone. {count} changes reverted.", undone.reverted)
    toast(request, done.format(count=formats.number(undone.reverted)))
    for reason, count in Counter(each.why for each in undone.kept).items():
        kept = ngettext("{count} change not reverted: {reason}", "{count} changes not reverted: {reason}", count)
        warn(request, kept.format(count=formats.number(count), reason=reason))


@require_GET
def undo_progress(request: Request, change: UUID) -> HttpResponse:
    """Show the progress of a large undo and the records it kept, to its author and managers."""
    runs = UndoRun.objects.filter(change=change).select_related("member__user")
    if not request.actor.is_at_least(Role.MANAGER):
        runs = runs.filter(member=request.actor.member_id)
    run = runs.first()
    if run is None:
        raise Http404
    imported = ImportRun.objects.filter(change=change).first()
    context = {"run": run, "imported": imported, "reasons": list(summary(run)), "kept": _kept(run, request)}
    return render(request, "lists/undo_run.html", context)


def _kept(run: UndoRun, request: Request) -> list[dict]:
    """Return the first kept records: kind, reason, and the record itself if visible to the user."""
    rows = list(run.kept.all()[:SHOWN])
    known = {entity.name: entity for entity in registry.all_entities()}
    seen: dict[tuple[str, int], Any] = {}
    for name in {row.entity for row in rows} & known.keys():
        records = known[name].model.objects
        if hasattr(records, "visible_to"):
            ids = [row.record_id for row in rows if row.entity == name]
            seen |= {(name, each.pk): each for each in records.visible_to(request.actor).filter(pk__any_of=ids)}
    return [
        {
            "kind": known[row.entity].label if row.entity in known else row.entity.replace("_", " ").capitalize(),
            "record": seen.get((row.entity, row.record_id)),
            "why": row.why,
        }
        for row in rows
    ]
