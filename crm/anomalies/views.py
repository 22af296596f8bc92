"""The page of all exceptions, and their dismissal."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.anomalies.forms import FilterForm, WaiveForm
from crm.anomalies.kinds import ANOMALY_KINDS, AnomalyKind
from crm.anomalies.listing import finding_page
from crm.anomalies.models import Finding
from crm.anomalies.verbs.end_waivers import end_waivers
from crm.anomalies.verbs.waive import waive
from crm.entities import registry
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.timelimit import TooSlow, time_limit
from crm.kit.translation import gettext as _
from crm.users.http import Request

USUAL = timedelta(days=30)


@require_GET
def exceptions(request: Request) -> HttpResponse:
    """Show exceptions with evidence, owner and age, newest first."""
    form, by = FilterForm(request.GET), request.actor
    waived, context = request.GET.get("show") == "waived", dict[str, Any]()
    # An invalid filter must not count as no filter.
    asked: dict[str, Any] = {"kind": "", "owner": Q(pk__in=[])}
    if form.is_valid():
        asked = {"kind": form.cleaned_data["kind"], "owner": _whose(form.cleaned_data["owner"], by)}
    else:
        context["too_slow"] = _("That filter doesn’t exist. Choose a type and an owner from the lists.")
    try:
        with time_limit():
            context["page"] = finding_page(by, waived=waived, before=request.GET.get("before", ""), **asked)
    except TooSlow as error:
        context["too_slow"] = str(error)
    params = request.GET.copy()
    params.pop("before", None)
    context |= {"form": form, "waived": waived, "query": params.urlencode()}
    context |= {"narrowed": any(params.get(name) for name in form.fields), "can_write": by.is_at_least(Role.REP)}
    return render(request, "anomalies/page.html", context)


def _whose(owner: str, by: Actor) -> Q | None:
    if not owner:
        return None
    known = {"me": Q(owner=by.member_id), "team": Q(team=by.team_id), "nobody": Q(owner__isnull=True)}
    return known[owner] if owner in known else Q(owner=int(owner))


@require_http_methods(["GET", "POST"])
def waive_page(request: Request, kind: str, public_id: str) -> HttpResponse:
    """Dismiss one exception for a time."""
    about, record, finding = _find(request, kind, public_id)
    initial = {"until": timezone.localdate() + USUAL}
    form = WaiveForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        until = timezone.make_aware(datetime.combine(form.cleaned_data["until"], time()))
        try:
            rows = type(record).objects.filter(pk=record.pk)
            waive(rows, kind, by=request.actor, reason=form.cleaned_data["reason"], until=until).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("Exception dismissed: {record}.").format(record=record))
            return redirect("exceptions")
    context = {"form": form, "kind": about, "record": record, "finding": finding}
    return render(request, "anomalies/waive.html", context, status=422 if form.errors else 200)


@require_POST
def end_waiver(request: Request, kind: str, public_id: str) -> HttpResponse:
    record = _find(request, kind, public_id)[1]
    end_waivers(type(record).objects.filter(pk=record.pk), kind, by=request.actor).or_raise()
    toast(request, _("Exception reopened: {record}.").format(record=record))
    return redirect("exceptions")


def _find(request: Request, kind: str, public_id: str) -> tuple[AnomalyKind, Any, Finding]:
    try:
        about = ANOMALY_KINDS[kind]
    except KeyError:
        raise Http404 from None
    rows = registry.get(about.entity).model.objects.live().visible_to(request.actor)
    record = rows.filter(public_id=public_id).first()
    finding = record and Finding.objects.filter(kind=kind, record_id=record.pk).first()
    if finding is None:
        raise Http404
    return about, record, finding
