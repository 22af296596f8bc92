"""Settings pages of workflows: list, detail, builder and preview."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.conditions.parse import in_words, parse
from crm.entities.registry import get
from crm.entities.uses import unreadable_by_pk, why_unreadable
from crm.kit.errors import Invalid, Refused
from crm.kit.responses import toast, warn
from crm.kit.site import site
from crm.kit.timelimit import TooSlow, time_limit
from crm.kit.translation import gettext as _
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs
from crm.workflows.builder import BLANK, Draft, draft_context, posted, rearranged
from crm.workflows.definition import Definition, checked, lines, spoken, summary
from crm.workflows.models import Run, Workflow, WorkflowVersion
from crm.workflows.preview import Preview, preview
from crm.workflows.shipped import SHIPPED
from crm.workflows.verbs.rotate_secret import rotate_secret
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow
from crm.workflows.webhooks import generations, secret

RUNS = 50


def find(public_id: str) -> Workflow:
    """Return the workflow called `public_id`. Raises Http404."""
    workflow = Workflow.objects.select_related("owner__user").filter(public_id=public_id).first()
    if workflow is None:
        raise Http404
    return workflow


@require_GET
@needs(Right.WORKSPACE)
def workflows(request: Request) -> HttpResponse:
    """Show all workflows with summaries, and the templates."""
    versions = {version.workflow_id: version for version in _current()}
    broken = unreadable_by_pk("workflow")
    found = Workflow.objects.select_related("owner__user")
    rows = [(each, summary(versions[each.pk]), broken.get(each.pk, "")) for each in found]
    return render(request, "workflows/list.html", {"rows": rows, "shipped": SHIPPED.values()})


def _current() -> list[WorkflowVersion]:
    return [row for row in WorkflowVersion.objects.select_related("workflow") if row.number == row.workflow.number]


@require_GET
@needs(Right.WORKSPACE)
def workflow(request: Request, public_id: str) -> HttpResponse:
    """Show one workflow: its definition, versions and recent runs."""
    found = find(public_id)
    versions = list(found.versions.select_related("member__user"))
    wanted = request.GET.get("version", "")
    version = next((each for each in versions if str(each.number) == wanted), None if wanted else versions[0])
    if version is None:
        raise Http404
    runs = Run.objects.filter(workflow=found).select_related("workflow")
    context = {
        "workflow": found,
        "version": version,
        "versions": versions,
        "opening": spoken(version),
        "lines": lines(version),
        "runs": with_records(runs.order_by("-started_at", "-pk")[:RUNS]),
        "is_webhook": version.trigger["kind"] == "webhook",
        "calls": any(step["kind"] == "webhook" for step in version.steps),
        "secrets": [secret(found, number) for number in generations(found)],
        "hook": f"{site()}/hooks/{found.public_id}",
        "problem": why_unreadable("workflow", found.pk),
    }
    return render(request, "workflows/workflow.html", context)


def with_records(runs: Any) -> list[tuple[Run, Any]]:
    """Return each run with its record, None if deleted; one statement per entity."""
    runs = list(runs)
    found = {
        entity: get(entity).model.objects.in_bulk([run.record_id for run in runs if run.entity == entity])
        for entity in {run.entity for run in runs}
    }
    return [(run, found[run.entity].get(run.record_id)) for run in runs]


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def edit_workflow_page(request: Request, public_id: str = "") -> HttpResponse:
    """Create or edit a workflow: every button submits the whole form."""
    found = find(public_id) if public_id else None
    do, errors, tried = request.POST.get("do", ""), dict[str, str](), None
    draft = posted(request.POST) if request.method == "POST" else _draft(request, found)
    if request.method == "POST" and do in ("save", "try"):
        try:
            if do == "save":
                return _saved(request, found, draft)
            tried = _tried(request, checked(draft["trigger"], draft["condition"], draft["steps"]))
        except Invalid as error:
            errors = error.errors
    elif request.method == "POST":
        draft = rearranged(draft, do, request.POST.get("add", ""))
    context = {"form": draft_context(draft, errors), "workflow": found, "tried": tried}
    return render(request, "workflows/build.html", context, status=422 if errors else 200)


def _draft(request: Request, found: Workflow | None) -> Draft:
    if found:
        version = found.current
        steps, facts = [dict(step) for step in version.steps], {"name": found.name, "owner": found.owner_id}
        return facts | {
            "trigger": version.trigger,
            "condition": in_words(version.condition, version.entity),
            "steps": steps,
        }
    chosen = SHIPPED.get(request.GET.get("template", ""))
    blank = BLANK | {"owner": request.member.pk}
    if chosen is None:
        return blank
    return blank | {
        "name": chosen.title,
        "trigger": chosen.trigger,
        "condition": chosen.condition,
        "steps": list(chosen.steps),
    }


def _saved(request: Request, found: Workflow | None, draft: Draft) -> HttpResponse:
    owner = int(draft["owner"]) if str(draft["owner"]).isdecimal() else None
    facts = {key: draft[key] for key in ("name", "trigger", "condition", "steps")}
    saved = save_workflow(found or Workflow(), owner=owner, by=request.actor, **facts)
    sentence = _("“{name}” saved and live.") if saved.enabled else _("“{name}” saved. Turn it on to start running it.")
    toast(request, sentence.format(name=saved.name))
    return redirect(saved)


def _tried(request: Request, definition: Definition) -> Preview | str:
    condition = parse(definition.condition, definition.entity, people=False)
    try:
        with time_limit():
            return preview(definition, condition, request.actor)
    except TooSlow as error:
        return str(error)


@require_GET
@needs(Right.WORKSPACE)
def workflow_preview(request: Request, public_id: str) -> HttpResponse:
    """Show what a workflow would do and would have done, without changes."""
    found = find(public_id)
    version = found.current
    try:
        definition = checked(version.trigger, version.condition, version.steps)
        tried = _tried(request, definition)
    except Invalid as error:
        tried = _("This workflow has errors. {error}").format(error=error)
    context = {"workflow": found, "version": version, "opening": spoken(version), "tried": tried}
    return render(request, "workflows/preview.html", context)


@require_POST
@needs(Right.WORKSPACE)
def switch(request: Request, public_id: str) -> HttpResponse:
    found, on = find(public_id), request.POST.get("on") == "1"
    try:
        switch_workflow(found, on, by=request.actor)
    except Refused as error:
        warn(request, str(error))
    else:
        toast(request, (_("“{name}” turned on.") if on else _("“{name}” turned off.")).format(name=found))
    return redirect(found)


@require_POST
@needs(Right.WORKSPACE)
def rotate(request: Request, public_id: str) -> HttpResponse:
    """Rotate the signing secret; the previous one stays valid until the next rotation."""
    found = find(public_id)
    rotate_secret(found, by=request.actor)
    toast(request, _("Secret rotated. The previous secret stays valid until the next rotation."))
    return redirect(found)
