"""Moves of one record: a page with the verb's form, a POST to move."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.responses import next_url, show_errors, toast
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import Axis, Move, Reason
from crm.records.forms import move_form
from crm.records.models import Record
from crm.records.registry import RECORD_TYPES, RecordType
from crm.records.views.pages import find_record, rows_of
from crm.users.http import Request


@require_http_methods(["GET", "POST"])
def move(request: Request, entity: str, public_id: str, verb: str) -> HttpResponse:
    """Move a record by a verb of its type. Boards send only the target, which determines the verb."""
    kind, record = RECORD_TYPES[entity], find_record(request, entity, public_id)
    if verb not in kind.verbs:
        raise Http404
    axis = kind.axis_of[verb]
    here, step = getattr(record, axis.field), axis.by_verb[verb]
    if to := request.POST.get("to"):
        step = _meant(kind, axis, step, to)
    answered = request.method == "POST" and (step.verb == verb or step.reason == Reason.NO)
    data, asked = request.POST if answered else None, kind.forms.get(step.verb)
    form = asked(data, record, request.actor) if asked else move_form(axis, step, here)(data)
    if answered and form.is_valid():
        try:
            outcome = kind.verbs[step.verb](rows_of(record), by=request.actor, **form.cleaned_data).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            return _moved(request, kind, record, outcome)
    context = {
        "entity": entity,
        "record": record,
        "step": step,
        "form": form,
        "stage": axis.value(here),
        "target": axis.target_of(step, here),
        "lede": kind.ledes[step.verb](record) if step.verb in kind.ledes else "",
        "next": next_url(request),
    }
    return render(request, "records/move.html", context, status=422 if form.errors else 200)


def _meant(kind: RecordType, axis: Axis, step: Move, to: str) -> Move:
    """Return the move itself or, for a target it cannot reach, the move that can."""
    if step.may_reach(to) or step.target:
        return step
    others = (move for move in axis.moves if move.verb in kind.verbs and not move.leaves_group)
    return next((move for move in others if to == move.target or to in move.targets), step)


def _moved(request: Request, kind: RecordType, record: Record, outcome: Outcome) -> HttpResponse:
    record.refresh_from_db()
    undo_url = reverse("undo", args=[outcome.change])
    done = _("{record} moved to {stage}.").format(record=kind.name(record), stage=kind.stands(record))
    toast(request, done, undo_url=undo_url)
    return redirect(next_url(request) or record)
