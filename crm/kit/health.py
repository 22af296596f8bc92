"""Is this process alive? Whether it can work as well (database, queue) is what /readyz answers."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse

import crm


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """GET /healthz: 200, "ok" and the version. Reads nothing, so that a database that is down restarts no process."""
    return HttpResponse(f"ok {crm.__version__}\n", content_type="text/plain", headers={"Cache-Control": "no-store"})
