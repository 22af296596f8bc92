"""Settings → Lead migration: plan, migration with progress and report, and undo."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from crm.kit import clock
from crm.kit.errors import DomainError
from crm.kit.read_tracking import uncounted_reads
from crm.kit.responses import toast, warn
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.dropping.conditions import missing, status
from crm.legacy_leads.entities import LEGACY_LEAD
from crm.legacy_leads.models import LegacyLead, MigrationRun, OldLeads
from crm.legacy_leads.moving.background import start_commit, start_undo
from crm.legacy_leads.moving.figures import AMOUNTS, COUNTS, of_run
from crm.legacy_leads.moving.planning import iterate_plan, make_plan
from crm.legacy_leads.moving.report import HEADER, ReportRow, as_csv, carried_out
from crm.legacy_leads.verbs.confirm_drop import confirm_drop
from crm.lists.models import UndoRun
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs

SILENCE = timedelta(minutes=1)  # after which a running plan counts as stopped
LABELS = {
    "leads": _("Leads"),
    "created": _("New contacts"),
    "reused": _("Joined an existing contact"),
    "left": _("Not migrated"),
    "refused": _("Rejected"),
    "opportunities": _("Opportunities"),
    "amount_in": _("Value of all leads"),
    "amount_opportunities": _("Value in opportunities"),
    "amount_listed": _("Value without an opportunity"),
}


@require_GET
@needs(Right.WORKSPACE)
def migration_page(request: Request) -> HttpResponse:
    """Show the migration's state and next steps. Viewing it does not count as a read of the retired table."""
    run = MigrationRun.objects.select_related("member__user").first()
    with uncounted_reads():
        total = LegacyLead.objects.count()
        retired = OldLeads.objects.first()
        context: dict[str, Any] = {"run": run, "retired": retired, "total": total, "is_busy": _is_busy(run)}
        if run:
            context |= {"figures": _figures(of_run(run).report()), "percent": _percent(run.leads, total)}
            context["undo"] = UndoRun.objects.filter(change=run.change).first()
        if retired and run and run.state == MigrationRun.State.COMMITTED:
            context |= {"missing": missing(retired), "status": status()}
    context["plan"] = _plan(retired)
    return render(request, "legacy_leads/migration.html", context)


def _is_busy(run: MigrationRun | None) -> bool:
    return bool(run and run.state in MigrationRun.BUSY and not run.problem)


def _plan(retired: OldLeads | None) -> dict[str, Any] | None:
    if retired is None or retired.plan is None:
        return None
    plan = retired.plan
    at = parse_datetime(plan["at"])
    figures = _figures(plan["figures"]) if plan["figures"] else None
    shown: dict[str, Any] = {"at": at, "steps": [_step(ReportRow(*step)) for step in plan["steps"]], "figures": figures}
    shown |= {"percent": _percent(plan["done"], plan["total"]), "more": max(0, plan["total"] - len(plan["steps"]))}
    is_silent = at is None or clock.now() - at > SILENCE
    return (
        plan | shown | {"is_running": figures is None and not is_silent, "has_stopped": figures is None and is_silent}
    )


def _step(row: ReportRow) -> ReportRow:
    """Return a row of the plan with its status label."""
    return row._replace(status=LEGACY_LEAD.fields["status"].choice_label(row.status))


def _percent(done: int, total: int) -> int:
    return min(99, 100 * done // max(total, 1))


def _figures(told: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    """Return (label, number or amounts by currency, whether it is money)."""
    counts = [(LABELS[name], told[name], False) for name in COUNTS]
    return counts + [(LABELS[name], [(c, Decimal(v)) for c, v in told[name].items()], True) for name in AMOUNTS]


def _start_plan(request: Request) -> None:
    make_plan("include_lost" in request.POST, by=request.actor)


def _start_commit(request: Request) -> None:
    start_commit("include_lost" in request.POST, by=request.actor)
    toast(request, gettext("The migration has started. You can leave this page."))


def _start_undo(request: Request) -> None:
    start_undo(by=request.actor)
    toast(request, gettext("The undo has started. You can leave this page."))


def _confirm_drop(request: Request) -> None:
    confirm_drop(by=request.actor)
    toast(request, gettext("You confirmed that the legacy leads can be dropped."))


ACTIONS: dict[str, Callable[[Request], None]] = {
    "plan": _start_plan,
    "commit": _start_commit,
    "undo": _start_undo,
    "confirm-drop": _confirm_drop,
}


@require_POST
@needs(Right.WORKSPACE)
def migration_action(request: Request, action: str) -> HttpResponse:
    """Run one of ACTIONS and return to the page."""
    if action not in ACTIONS:
        raise Http404
    try:
        ACTIONS[action](request)
    except DomainError as error:
        warn(request, str(error))
    return redirect("lead_migration")


@require_GET
@needs(Right.WORKSPACE)
def plan_file(request: Request) -> StreamingHttpResponse:
    return _csv("lead-migration-plan.csv", iterate_plan("include_lost" in request.GET))


@require_GET
@needs(Right.WORKSPACE)
def report_file(request: Request) -> StreamingHttpResponse:
    """Return the latest migration's result per lead, as CSV."""
    run = MigrationRun.objects.exclude(state=MigrationRun.State.UNDONE).first()
    if run is None:
        raise Http404
    return _csv(f"{run.public_id}.csv", carried_out(run))


def _csv(name: str, rows: Iterable[ReportRow]) -> StreamingHttpResponse:
    lines = (as_csv(row) for part in ([HEADER], rows) for row in part)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "no-store, private"  # not a text
    return response
