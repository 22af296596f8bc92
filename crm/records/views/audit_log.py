"""The settings page of the audit log, and its export."""

from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.record import record
from crm.kit.responses import error_page
from crm.kit.timelimit import LONG, time_limit
from crm.records.audit_log import AuditFilter, AuditLine, export, page
from crm.records.views.importing import download
from crm.users.http import Request
from crm.users.models import Workspace
from crm.users.roles import Right
from crm.users.views import needs


@require_GET
@needs(Right.WORKSPACE)
def audit_log(request: Request) -> HttpResponse:
    """Show one page of entries that meet the filter."""
    form = AuditFilter(request.GET)
    lines: list[AuditLine] = []
    cursor = ""
    if form.is_valid():
        with time_limit():
            lines, cursor = page(form.entries(), request.GET.get("before", ""))
    query = urlencode({key: value for key, value in request.GET.items() if key != "before" and value})
    context = {"form": form, "lines": lines, "cursor": cursor, "query": query}
    return render(request, "records/audit_log.html", context, status=422 if form.errors else 200)


@require_GET
@needs(Right.WORKSPACE)
def audit_export(request: Request) -> HttpResponseBase:
    """Download the entries that meet the filter as CSV; that is an entry too."""
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return error_page(request, 422, str(next(iter(form.errors.values()))[0]))
    with transaction.atomic():
        here = Workspace.objects.filter(pk=request.actor.workspace_id)
        record("workspace.exported", here, by=request.actor, note=f"audit: {request.GET.urlencode()}"[:500])
    with time_limit(LONG):
        return download(export(form.entries()), f"audit-{timezone.localdate():%Y-%m-%d}.csv")
