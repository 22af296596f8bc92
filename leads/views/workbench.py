"""The model workbench: the current scoring model, a preview of changes, and saving."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from crm.entities.uses import why_unreadable
from crm.kit import nav
from crm.kit.actor import Role
from crm.kit.errors import Invalid
from crm.kit.responses import toast
from crm.kit.timelimit import PAGE, TooSlow, time_limit
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.http import Request
from leads.axes import STAGE
from leads.models import ScoringModel, ScoringRun
from leads.scoring import workbench
from leads.scoring.charts import histogram
from leads.scoring.form import form_context, posted, saved
from leads.scoring.rules import read_rules
from leads.verbs.save_scoring_model import save_scoring_model

nav.register(
    nav.NavItem(_("Scoring model"), "scoring_model", "sliders-horizontal", 45, settings=nav.PROCESS, role=Role.MANAGER)
)


@require_http_methods(["GET", "POST"])
def scoring_model(request: Request) -> HttpResponse:
    """Show the active model; try the submitted one, or save it as a new version. Managers view, admins save."""
    if not request.actor.is_at_least(Role.MANAGER):
        raise PermissionDenied(gettext("Only managers and admins can view the scoring model."))
    may_save = request.actor.is_at_least(Role.ADMIN)
    if request.method == "POST" and not may_save:
        raise PermissionDenied(gettext("Only admins can edit the scoring model."))
    newest = ScoringModel.objects.order_by("-version").first()
    values = saved(newest) if newest else {"name": "", "half_life": 30, "rules": posted({})["rules"]}
    context: dict[str, Any] = {"may_save": may_save, "newest": newest, "errors": []}
    context["problem"] = why_unreadable("scoring_model", newest.pk if newest else None)
    if request.method == "POST":
        values = posted(request.POST)
        try:
            if request.POST.get("do") == "save":
                return _save(request, values)
            with time_limit(PAGE):
                context |= _tried(values)
        except Invalid as error:
            context["errors"] = list(error.errors.values())
        except TooSlow as error:
            context["errors"] = [str(error)]
    elif newest:
        context["separation"] = _separation(values)
    context["form"] = form_context(values)
    context["run"] = ScoringRun.objects.filter(finished_at__isnull=True).first()
    return render(request, "leads/model.html", context, status=422 if context["errors"] else 200)


def _save(request: Request, values: dict[str, Any]) -> HttpResponse:
    model = save_scoring_model(**values, by=request.actor)
    sentence = gettext("Now scoring with version {version}. All open leads will be rescored within a minute.")
    toast(request, sentence.format(version=model.version))
    return redirect("scoring_model")


def _separation(values: dict[str, Any]) -> workbench.Separation | None:
    """Return the separation; None for a model with deleted fields, or after the time limit."""
    try:
        model = workbench.trial(read_rules(values["rules"], values["half_life"]), values["half_life"])
        with time_limit(PAGE):
            return workbench.separation(model)
    except (Invalid, TooSlow):
        return None


def _tried(values: dict[str, Any]) -> dict[str, Any]:
    model = workbench.trial(read_rules(values["rules"], values["half_life"]), values["half_life"])
    found = workbench.compare(model)
    return {
        "tried": found,
        "bars": histogram(found.old, found.new, workbench.WIDTH),
        "moved": [(STAGE.value(m.old), STAGE.value(m.new), m.leads) for m in found.moved],
        "movers": [(m.lead, m.old, m.new, STAGE.value(m.lead.stage), STAGE.value(m.to)) for m in found.movers],
        "separation": workbench.separation(model),
        "most": model.rules.most / 10,
        "may_reach": model.rules.most >= model.rules.thresholds[1],
    }
