"""The settings pages of pipelines and their stages, and the pages of people on an opportunity."""

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from contacts.models import Contact
from crm.entities.uses import option_target, used_by
from crm.kit.errors import InUse, Invalid, Refused
from crm.kit.outcome import Outcome
from crm.kit.responses import show_errors, toast
from crm.kit.timelimit import long_request
from crm.kit.translation import gettext as _
from crm.opportunities import pipelines
from crm.opportunities.entities import OPPORTUNITY
from crm.opportunities.forms import PersonForm, RoleForm
from crm.opportunities.models import Opportunity, OpportunityContact, Pipeline, PipelineStage
from crm.opportunities.settings_forms import (
    ArchiveStageForm,
    NewPipelineForm,
    PipelineForm,
    StageFormSet,
    as_initial,
    stage_rows,
)
from crm.opportunities.verbs.add_person import add_person
from crm.opportunities.verbs.archive_pipeline import archive_pipeline
from crm.opportunities.verbs.archive_stage import archive_stage
from crm.opportunities.verbs.create_pipeline import create_pipeline
from crm.opportunities.verbs.edit_person import edit_person
from crm.opportunities.verbs.make_primary import make_primary
from crm.opportunities.verbs.remove_person import remove_person
from crm.opportunities.verbs.restore_pipeline import restore_pipeline
from crm.opportunities.verbs.restore_stage import restore_stage
from crm.opportunities.verbs.save_pipeline import save_pipeline
from crm.records.models import Record
from crm.records.validation import clean
from crm.records.views.pages import find_record, rows_of
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs
from crm.users.visibility import may_edit


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def pipeline_list(request: Request) -> HttpResponse:
    """The pipelines with their stages; a POST creates one."""
    form = NewPipelineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_pipeline(**form.cleaned_data, by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("Pipeline “{name}” created. Rename its stages to fit.").format(name=made.name))
            return redirect("pipeline", made.key)
    found = pipelines.process().pipelines.values()
    context = {
        "form": form,
        "shown": [_line(pipeline) for pipeline in found if pipeline.archived_at is None],
        "archived": [_line(pipeline) for pipeline in found if pipeline.archived_at],
    }
    return render(request, "opportunities/pipelines.html", context, status=422 if form.errors else 200)


def _line(pipeline: Pipeline) -> tuple[Pipeline, str, list]:
    stages = pipelines.all_stages(pipeline=pipeline.key)
    return pipeline, pipelines.name_of(pipeline), [pipelines.choice(stage) for stage in stages if not stage.archived_at]


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def pipeline_page(request: Request, key: str) -> HttpResponse:
    """One pipeline: its name, and its stages to change, add and reorder."""
    pipeline = get_object_or_404(Pipeline, key=key)
    known = {stage.key: stage for stage in pipelines.all_stages(pipeline=key) if not stage.archived_at}
    form = PipelineForm(request.POST or None, pipeline=pipeline)
    initial = [as_initial(stage) for stage in known.values()]
    formset = StageFormSet(request.POST or None, initial=initial, prefix="stage")
    if form.is_valid() and not formset.is_valid():
        form.add_error(
            None, _("Check the stages. Enter probabilities from 0 to 100, and expected days from 1 to 3,650.")
        )
    if form.is_valid() and _saved(request, form, formset, pipeline, known):
        toast(request, _("Pipeline “{name}” saved.").format(name=pipelines.name_of(pipeline)))
        return redirect("pipeline", key)
    uses, counts = used_by(), _counts(key)
    context = {
        "pipeline": pipeline,
        "name": pipelines.name_of(pipeline),
        "form": form,
        "stages": formset,
        "counts": [
            (stage, pipelines.choice(stage), counts.get(stage.key, 0), uses.get(_target(stage), []))
            for stage in known.values()
        ],
        "archived": [stage for stage in pipelines.all_stages(pipeline=key) if stage.archived_at],
    }
    return render(request, "opportunities/pipeline.html", context, status=422 if form.errors else 200)


def _target(stage: PipelineStage):
    return option_target("opportunity", "stage", stage.key)


def _counts(pipeline: str) -> dict[str, int]:
    rows = Opportunity.objects.live().filter(pipeline=pipeline).order_by()
    return dict(rows.values_list("stage").annotate(Count("pk")))


def _saved(request: Request, form: PipelineForm, formset, pipeline: Pipeline, known: dict) -> bool:
    cleaned = form.cleaned_data
    unchanged = cleaned["name"] == pipelines.name_of(pipeline)
    try:
        save_pipeline(
            pipeline,
            name=pipeline.name if unchanged else cleaned["name"],
            stages=stage_rows(formset, known, cleaned["converted"]),
            make_default=cleaned.get("make_default", False),
            by=request.actor,
        )
    except KeyError:
        form.add_error(None, _("The stages have changed meanwhile. Reload the page."))
    except Invalid as error:
        show_errors(form, error)
    else:
        return True
    return False


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def archive_stage_page(request: Request, key: str, stage: str) -> HttpResponse:
    """Ask where the opportunities of a stage go, name what refers to it, then archive it."""
    found = _stage(key, stage)
    form = ArchiveStageForm(request.POST or None, stage=found)
    count = Opportunity.objects.filter(stage=stage).count()
    if request.method == "POST" and form.is_valid():
        try:
            with long_request():
                archive_stage(found, to=form.cleaned_data["to"], by=request.actor)
        except (Invalid, InUse) as error:
            show_errors(form, error)
        except Refused as error:
            form.add_error(None, str(error))
        else:
            undo_url = reverse("undo", args=[request.actor.change]) if count else ""
            label = pipelines.label_of(found)
            toast(request, _("Stage “{stage}” archived.").format(stage=label), undo_url=undo_url)
            return redirect("pipeline", key)
    context = {
        "form": form,
        "stage": found,
        "choice": pipelines.choice(found),
        "count": count,
        "uses": [(use, []) for use in used_by().get(_target(found), [])],
    }
    return render(request, "opportunities/archive_stage.html", context, status=422 if form.errors else 200)


def _stage(key: str, stage: str) -> PipelineStage:
    found = PipelineStage.objects.filter(pipeline=key, key=stage).first()
    if found is None:
        raise Http404
    return found


@require_POST
@needs(Right.WORKSPACE)
def restore_stage_page(request: Request, key: str, stage: str) -> HttpResponse:
    found = restore_stage(_stage(key, stage), by=request.actor)
    toast(request, _("Stage “{stage}” restored.").format(stage=pipelines.label_of(found)))
    return redirect("pipeline", key)


@require_POST
@needs(Right.WORKSPACE)
def archive_pipeline_page(request: Request, key: str) -> HttpResponse:
    found = archive_pipeline(get_object_or_404(Pipeline, key=key), by=request.actor)
    toast(request, _("Pipeline “{name}” archived.").format(name=pipelines.name_of(found)))
    return redirect("pipelines")


@require_POST
@needs(Right.WORKSPACE)
def restore_pipeline_page(request: Request, key: str) -> HttpResponse:
    found = restore_pipeline(get_object_or_404(Pipeline, key=key), by=request.actor)
    toast(request, _("Pipeline “{name}” restored.").format(name=pipelines.name_of(found)))
    return redirect("pipeline", key)


def _editable(request: Request, public_id: str) -> Record:
    """Return an opportunity. Raises Http404 if missing or hidden, Refused if the member may not change it."""
    record = find_record(request, "opportunity", public_id)
    if not may_edit(record, request.actor):
        raise Refused(_("View only – you can’t edit this record."))
    return record


@require_http_methods(["GET", "POST"])
def add_person_page(request: Request, public_id: str) -> HttpResponse:
    """Ask for a contact and a role, then add the person."""
    record = _editable(request, public_id)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = _contact(form.cleaned_data["contact"], request)
            role = form.cleaned_data["role"]
            outcome = add_person(rows_of(record), contact, role=role, by=request.actor).or_raise()
        except Invalid as error:
            show_errors(form, error if error.errors else Invalid({"contact": str(error)}))
        except Refused as error:
            form.add_error("contact", str(error))
        else:
            return _changed(request, record, _("{contact} added.").format(contact=contact), outcome)
    context = {"record": record, "form": form, "person": None}
    return render(request, "opportunities/person.html", context, status=422 if form.errors else 200)


def _contact(text: str, request: Request) -> Contact:
    """Return a contact given by name or public id. Raises Invalid."""
    found = clean("opportunity", OPPORTUNITY.fields["contact"], text, request.actor)
    if found is None:  # only control characters
        raise Invalid(_("Choose a contact."))
    return Contact.objects.get(pk=found)


@require_http_methods(["GET", "POST"])
def person_page(request: Request, public_id: str, pk: int) -> HttpResponse:
    """Change the role of a person, make them the primary contact, or remove them."""
    record = _editable(request, public_id)
    people = OpportunityContact.objects.live().filter(opportunity=record, pk=pk)
    person = get_object_or_404(people.select_related("contact"))
    form = RoleForm(request.POST or None, initial={"role": person.role})
    if request.method == "POST" and form.is_valid():
        done = {
            "primary": lambda: (make_primary(people, by=request.actor), _("{contact} is the primary contact.")),
            "remove": lambda: (remove_person(people, by=request.actor), _("{contact} removed.")),
        }
        role = form.cleaned_data["role"]
        save = lambda: (edit_person(people, role=role, by=request.actor), _("{contact} saved."))  # noqa: E731
        outcome, text = done.get(request.POST.get("do", ""), save)()
        return _changed(request, record, text.format(contact=person.contact), outcome.or_raise())
    context = {"record": record, "form": form, "person": person}
    return render(request, "opportunities/person.html", context, status=422 if form.errors else 200)


def _changed(request: Request, record: Record, text: str, outcome: Outcome) -> HttpResponse:
    toast(request, text, undo_url=reverse("undo", args=[outcome.change]))
    return redirect(record)
