"""Error pages."""

import json
import logging
import re
import time
from collections import deque
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseServerError
from django.template.loader import get_template
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.kit.responses import error_page
from crm.kit.translation import gettext as _

logger = logging.getLogger(__name__)
REPORT_LIMIT = 4096  # bytes read of a browser's report
REPORTS = 10  # reports logged per minute
_reported: deque[float] = deque(maxlen=REPORTS)
# Keys in the Reporting API and in older browsers.
DIRECTIVE, BLOCKED = ("effectiveDirective", "effective-directive"), ("blockedURL", "blocked-uri")
PAGE = ("documentURL", "document-uri")


def bad_request(request, exception=None):
    return error_page(request, 400, _("We couldn’t read that request. No changes were saved."))


def permission_denied(request, exception=None):
    return error_page(request, 403, str(exception) or _("Your role doesn’t have access to this page."))


def csrf_failure(request, reason=""):
    """403: the form predates the sign-in, or comes from another site."""
    response = error_page(request, 403, _("This form has expired. No changes were saved."))
    if request.htmx:
        return response
    return HttpResponse(get_template("403_csrf.html").render({}, request), status=403)


def not_found(request, exception=None):
    """404: missing or not visible to this user, with the same response."""
    return error_page(request, 404, _("This page doesn’t exist, or you don’t have access to it."))


def too_many_requests(request, exception=None):
    return error_page(request, 429, _("Too many attempts. Wait a few minutes, then try again."))


def server_error(request):
    """500: server error. Uses no database, session or context processor: any of them may have failed."""
    page = get_template("500.html").render({"request_id": getattr(request, "id", "")})
    return HttpResponseServerError(page)


@csrf_exempt
@login_not_required
@require_POST
def csp_report(request):
    """Log a CSP violation report. Anyone can send them without a session: more than a few per minute are dropped."""
    report, now = request.read(REPORT_LIMIT), time.monotonic()
    if len(_reported) == REPORTS and now - _reported[0] < 60:
        return HttpResponse(status=204)
    _reported.append(now)
    logger.warning("Content security policy: %s", _told(report))
    return HttpResponse(status=204)


def _told(report: bytes) -> str:
    """Return the report without secrets: the directive, the host and the page's route."""
    try:
        body = json.loads(report)
        body = body[0]["body"] if isinstance(body, list) else body["csp-report"]
        told = {name: str(body.get(name, "")) for name in {*DIRECTIVE, *BLOCKED, *PAGE} & body.keys()}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "a report that cannot be read"  # not a text
    directive, blocked, page = (
        next((told[name] for name in names if name in told), "") for names in (DIRECTIVE, BLOCKED, PAGE)
    )
    return f"{_word(directive)} refused {_host(blocked)} on /{_route(page)}"


def _word(text: str) -> str:
    return text if re.fullmatch(r"[a-z-]{1,40}", text) else "-"


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or url
    except ValueError:
        host = ""
    return host if re.fullmatch(r"[a-z0-9.-]{1,100}", host) else "-"


def _route(url: str) -> str:
    try:
        return resolve(urlsplit(url).path).route
    except (ValueError, Resolver404):
        return "-"
