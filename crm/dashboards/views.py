"""The dashboard: a frame filled card by card; each card as a page, and each table as a file."""

import csv
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from crm.dashboards.forms import SubscriptionForm
from crm.dashboards.groups import offered
from crm.dashboards.layout import allowed, chosen
from crm.dashboards.models import Subscription
from crm.dashboards.period import Period, today
from crm.dashboards.query import MODES, DashboardQuery, read_query
from crm.dashboards.show import content
from crm.dashboards.tables import Part, Table
from crm.dashboards.verbs.arrange import arrange
from crm.dashboards.verbs.subscribe import subscribe
from crm.entities.uses import why_unreadable
from crm.kit.errors import Invalid
from crm.kit.language import speaking
from crm.kit.responses import error_page, show_errors, toast
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.formulas import escape
from crm.users.http import Request

PERIODS = ((_("30 days"), 30), (_("90 days"), 90), (_("1 year"), 365))


@require_GET
def dashboard(request: Request) -> HttpResponse:
    """Show the frame, which loads its cards; `parts=all` includes them, for print and without JavaScript."""
    asked = read_query(request.GET, request.actor)
    inline = request.GET.get("parts") == "all"
    parts = [_shown(part, asked, load=not inline) for part in chosen(request.actor)]
    return render(request, "dashboards/dashboard.html", _frame(asked) | {"parts": parts, "inline": inline})


def _frame(asked: DashboardQuery) -> dict:
    end = today()
    periods = [(label, asked.query(**_ending(end, days)), _is(asked.period, end, days)) for label, days in PERIODS]
    modes = [(mode, label, asked.query(mode=mode)) for mode, label in MODES.items()]
    return {"asked": asked, "periods": periods, "modes": modes, "splits": offered("lead"), "query": asked.query()}


def _ending(end, days: int) -> dict[str, str]:
    return {"from": str(end.fromordinal(end.toordinal() - days + 1)), "to": str(end)}


def _is(period: Period, end, days: int) -> bool:
    return period.last == end and period.days == days


def _shown(part: Part, asked: DashboardQuery, *, load: bool = False) -> dict:
    found = None if load else content(part, asked)
    return {"part": part, "content": found, "query": asked.query(), "asked": asked}


@require_GET
def part(request: Request, name: str) -> HttpResponse:
    """Show one card: for htmx the card alone, otherwise a page."""
    asked = read_query(request.GET, request.actor)
    shown = _shown(_find(request, name), asked)
    if request.htmx:
        return render(request, "dashboards/part.html", shown)
    context = _frame(asked) | {"parts": [shown], "inline": True, "one": shown}
    return render(request, "dashboards/dashboard.html", context)


def _find(request: Request, name: str) -> Part:
    for found in allowed(request.actor):
        if found.name == name:
            return found
    raise Http404


@require_GET
def table(request: Request, name: str, table: str) -> HttpResponse:
    """Return one table as CSV, safe for spreadsheets and in English, like all files."""
    asked, part = read_query(request.GET, request.actor), _find(request, name)
    with speaking("en"):
        tables = {found.name: found for found in content(part, asked).tables}
        lines = _lines(tables[table]) if table in tables else None
    if not tables:
        return error_page(request, 422, content(part, asked).note)
    if lines is None:
        raise Http404
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{table}.csv"'
    csv.writer(response).writerows(lines)
    return response


def _lines(table: Table) -> list[list]:
    """Return a file's rows: headings, then cells."""
    rows = [[_safe(cell.raw) for cell in (row.label, *row.cells)] for row in table.rows]
    return [[str(heading) for heading in table.headings], *rows]


def _safe(value: Any) -> Any:
    return escape(value) if isinstance(value, str) else value


@require_http_methods(["GET", "POST"])
def arrange_page(request: Request) -> HttpResponse:
    """Edit the cards and their order."""
    parts = allowed(request.actor)
    if request.method == "POST":
        wanted = [name for name in request.POST.getlist("part") if name in {part.name for part in parts}]
        arrange(sorted(wanted, key=lambda name: _place(request, name)), by=request.actor)
        toast(request, gettext("Layout saved."))
        return redirect("dashboard")
    places = {part.name: index for index, part in enumerate(chosen(request.actor), 1)}
    lines = sorted(((part, places.get(part.name)) for part in parts), key=lambda line: line[1] or len(parts) + 1)
    return render(request, "dashboards/arrange.html", {"lines": lines})


def _place(request: Request, name: str) -> int:
    text = request.POST.get(f"place_{name}", "")
    return int(text) if text.isdecimal() and len(text) < 5 else 9999


@require_http_methods(["GET", "POST"])
def mail_page(request: Request) -> HttpResponse:
    asked = read_query(request.GET, request.actor)
    known = Subscription.objects.filter(member=request.actor.member_id).first()
    initial = {"every": known.every if known else "week", "days": asked.period.days}
    form = SubscriptionForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            subscribe(asked.query(), by=request.actor, **form.cleaned_data)
        except Invalid as error:
            show_errors(form, error)
        else:
            on, off = gettext("Dashboard emails scheduled."), gettext("Dashboard emails turned off.")
            toast(request, on if form.cleaned_data["every"] else off)
            return redirect(f"{reverse('dashboard')}?{asked.query()}")
    context = {"form": form, "asked": asked, "query": asked.query()}
    context["problem"] = why_unreadable("subscription", known.pk if known else None)
    return render(request, "dashboards/mail_page.html", context, status=422 if form.errors else 200)
