"""Liveness probe. Readiness (database, queue) is checked by /readyz."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse

import crm


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """GET /healthz: 200, "ok" and the version. Reads nothing, so a database outage restarts no process."""
    return HttpResponse(f"ok {crm.__version__}\n", content_type="text/plain", headers={"Cache-Control": "no-store"})
