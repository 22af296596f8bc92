"""Headers and compression of every response, and htmx's variants of redirects, messages and refusals."""

from gzip import GzipFile
from io import BytesIO
from secrets import randbelow

from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.template.loader import render_to_string
from django.utils.cache import has_vary_header, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from crm.kit import formats
from crm.kit.errors import DomainError, TooSlow
from crm.kit.logs import request_id
from crm.kit.responses import domain_error_page, error_page
from crm.kit.text import LONGEST
from crm.kit.timelimit import is_timeout, request_limits
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

# Why: docs/decisions/0055-strict-csp-without-a-build.md
# No nonce and nothing unsafe: scripts and styles are files of ours. Violations are logged by crm.kit.views.csp_report.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; report-to csp"  # not a text
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Reporting-Endpoints": 'csp="/csp-report"',
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
STOPPED = _("This took too long and was stopped. No changes were saved. Narrow your request, or try again later.")
MOST = 2 * LONGEST  # characters; forms report each field's own limit more kindly


class ResponseHeadersMiddleware:
    """Sets security headers on every response, errors and static files included, and the id shown on error pages."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = request_id()
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        _keep_private(response)
        return response


def _keep_private(response) -> None:
    is_page = response.get("Content-Type", "").startswith("text/html")
    if is_page:
        patch_vary_headers(response, ["HX-Request"])
    # A response that varies by cookie is personal: no cache keeps it, not even the back button's, unless a view sets
    # another policy for a file.
    if has_vary_header(response, "Cookie") and (is_page or not response.has_header("Cache-Control")):
        response["Cache-Control"] = "no-store, private"  # not a text


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages. Random padding, and a CSRF token masked anew in each page, keep secrets from being guessed by
    size (BREACH). Files are compressed once (WhiteNoise) or not at all: exports stream.
    """

    def process_response(self, request, response):
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        if not is_page or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.content = _compressed(response.content, self.max_random_bytes)
            response["Content-Length"] = str(len(response.content))
            response["Content-Encoding"] = "gzip"
        return response


def _compressed(content: bytes, padding: int) -> bytes:
    """Return the content in gzip's quickest form: for a list 0.3 ms instead of Django's 0.7, and a sixth larger."""
    file = BytesIO()
    name = "a" * randbelow(padding + 1)  # in the header, of random length
    with GzipFile(filename=name, mode="wb", compresslevel=1, mtime=0, fileobj=file) as compressed:
        compressed.write(content)
    return file.getvalue()


class TimeLimitMiddleware:
    """Limits every statement of a request, and expensive work to a few requests at once."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with request_limits():
            return self.get_response(request)

    def process_exception(self, request, error):
        """Return an error page if a statement timed out and the view did not handle it."""
        return domain_error_page(request, TooSlow(STOPPED)) if is_timeout(error) else None


class TextMiddleware:
    """Rejects input that no field accepts: NUL characters, on which PostgreSQL fails mid-page, and oversized texts."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """Check before any view; the body has already been read for its CSRF token."""
        sent = [*request.GET.lists(), *request.POST.lists()]
        if any("\0" in text for _, texts in sent for text in texts):
            return error_page(request, 400, gettext("Your text contains an invalid character."))
        if any(len(text) > MOST for _, texts in sent for text in texts):
            sentence = gettext("Your text is too long. Use up to {count} characters.")
            return error_page(request, 400, sentence.format(count=formats.number(MOST)))
        return None


class HtmxMiddleware:
    """Converts redirects, pending messages and domain errors for htmx; requires django_htmx before it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not request.htmx:
            return response
        if response.status_code in (301, 302, 303, 307, 308):
            return _client_redirect(response)
        if _has_room_for_messages(response):
            _append_messages(request, response)
        return response

    def process_exception(self, request, error):
        """Show a verb's refusal that the view did not handle."""
        return domain_error_page(request, error) if isinstance(error, DomainError) else None


def _client_redirect(response) -> HttpResponse:
    # The browser would follow a 3xx within the request, and htmx would swap a whole page into a fragment.
    redirected = HttpResponseClientRedirect(response["Location"])
    redirected.cookies = response.cookies
    return redirected


def _has_room_for_messages(response) -> bool:
    if response.streaming or response.status_code == 204 or response.has_header("HX-Redirect"):
        return False
    return response.get("Content-Type", "").startswith("text/html") and response.status_code < 500


def _append_messages(request, response) -> None:
    storage = get_messages(request)
    if len(storage) and not getattr(storage, "used", True):
        response.write(render_to_string("partials/toasts.html", {"messages": storage, "oob": True}, request))
