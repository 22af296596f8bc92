"""Pages for when something went wrong."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseServerError
from django.template.loader import get_template
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.kit.responses import error_page

logger = logging.getLogger(__name__)
REPORT_LIMIT = 4096  # bytes of a browser's report that are looked at


def bad_request(request, exception=None):
    """400: the request itself makes no sense."""
    return error_page(request, 400, "Your browser sent something that we could not read. Nothing was changed.")


def permission_denied(request, exception=None):
    """403: not for this role."""
    return error_page(request, 403, str(exception) or "Your role does not include this page.")


def csrf_failure(request, reason=""):
    """403: the form is older than the sign-in, or was made on another site."""
    response = error_page(request, 403, "This form has gone stale. Nothing was changed.")
    if request.htmx:
        return response
    return HttpResponse(get_template("403_csrf.html").render({}, request), status=403)


def not_found(request, exception=None):
    """404: not there, or not for this person: the answer is the same."""
    return error_page(request, 404, "There is no such page, or it is not yours to see.")


def too_many_requests(request, exception=None):
    """429: slow down."""
    return error_page(request, 429, "Too many attempts in a short time. Wait a few minutes, then try again.")


def server_error(request):
    """500: our mistake. Uses no database, no session and no context processor: any of them may be what failed."""
    page = get_template("500.html").render({"request_id": getattr(request, "id", "")})
    return HttpResponseServerError(page)


@csrf_exempt
@login_not_required
@require_POST
def csp_report(request):
    """Log what a browser refused to load. Browsers send these without a session; anybody else may, too."""
    logger.warning("Content security policy: %r", request.read(REPORT_LIMIT))
    return HttpResponse(status=204)
