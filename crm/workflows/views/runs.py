"""Pages of runs: steps and results, retry and cancel, and the manual start."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from crm.kit.responses import toast
from crm.kit.translation import gettext as _
from crm.lists.imports.running import visible_runs
from crm.records.registry import RECORD_TYPES
from crm.users.http import Request
from crm.users.roles import Right, may
from crm.users.views import needs
from crm.workflows.definition import lines, spoken
from crm.workflows.models import Run, Workflow
from crm.workflows.triggers import entities
from crm.workflows.verbs.cancel_run import cancel_run
from crm.workflows.verbs.release_import import release_import
from crm.workflows.verbs.retry_run import retry_run
from crm.workflows.verbs.start_workflow import start_workflow
from crm.workflows.views.settings import with_records


def _find(request: Request, public_id: str) -> Run:
    rows = Run.objects.visible_to(request.actor).filter(public_id=public_id)
    run = rows.select_related("workflow", "version", "owner__user", "cause__workflow").first()
    if run is None:
        raise Http404
    return run


@require_GET
def run_page(request: Request, public_id: str) -> HttpResponse:
    """Show one run: its trigger, what each step saw, decided and changed, and why it stopped."""
    run = _find(request, public_id)
    done = {step.position: step for step in run.steps.all()}
    context = {
        "run": run,
        "record": with_records([run])[0][1],
        "opening": spoken(run.version),
        "steps": [(line, done.get(line.position)) for line in lines(run.version)],
        "followed": Run.objects.filter(cause=run).select_related("workflow")[:50],
        "may_act": may(request.actor, Right.WORKSPACE),
    }
    return render(request, "workflows/run.html", context)


@require_POST
@needs(Right.WORKSPACE)
def retry(request: Request, public_id: str) -> HttpResponse:
    run = _find(request, public_id)
    retry_run(run.pk, by=request.actor)
    toast(request, _("Retrying…"))
    return redirect(run)


@require_POST
@needs(Right.WORKSPACE)
def cancel(request: Request, public_id: str) -> HttpResponse:
    run = _find(request, public_id)
    cancel_run(run.pk, by=request.actor)
    toast(request, _("Run canceled. Completed steps are kept."))
    return redirect(run)


@require_POST
def start_by_hand(request: Request, entity: str, public_id: str) -> HttpResponse:
    if entity not in dict(entities()):
        raise Http404
    rows = RECORD_TYPES[entity].model.objects.live().visible_to(request.actor).filter(public_id=public_id)
    record = rows.first()
    workflow = Workflow.objects.filter(public_id=request.POST.get("workflow", "")).first()
    if record is None or workflow is None:
        raise Http404
    start_workflow(rows, workflow, by=request.actor).or_raise()
    toast(request, _("“{name}” started.").format(name=workflow))
    return redirect(record)


@require_POST
@needs(Right.WORKSPACE)
def release_held_workflows(request: Request, entity: str, public_id: str) -> HttpResponse:
    run = visible_runs(entity, request.actor).filter(public_id=public_id).first()
    if run is None:
        raise Http404
    release_import(run.change, by=request.actor)
    toast(request, _("Running workflows on imported records…"))
    return redirect(run)
