"""Limits on request bodies, checked before reading them, and on concurrent large transfers."""

from collections.abc import Callable
from contextlib import ExitStack

from django.http import FileResponse, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import get_language_from_request

from crm.kit import formats
from crm.kit.errors import Busy
from crm.kit.language import speaking
from crm.kit.pool import FairSemaphore
from crm.kit.responses import domain_error_page, error_page
from crm.kit.translation import gettext as _

SMALL = 64 * 1024  # bytes of a body that anyone may send: the server reads it before assigning a thread
FORM = 1 << 20  # bytes of a member's form
LARGE_FILE = 256 * 1024  # bytes of a response: more than the kernel buffers for a slow reader
# Each occupies a thread for as long as the client takes; crm.kit.worker sets the minimum speed.
transfers = FairSemaphore(size=3, queue=2, patience=2)


def max_body_size(largest: int) -> Callable[[Callable], Callable]:
    """Decorate a view to accept bodies of up to `largest` bytes from members."""

    def mark(view: Callable) -> Callable:
        view.largest_body = largest  # type: ignore[attr-defined]
        return view

    return mark


class TransferMiddleware:
    """Rejects oversized bodies before they reach memory or disk; needs the user.

    It precedes everything that reads a body: views, and the CSRF middleware's view hook.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META or _length(request) > SMALL:
            # The current workspace is not known yet.
            with speaking(getattr(request.user, "language", "") or get_language_from_request(request)):
                if refusal := _refusal(request):
                    return refusal
        return _admitted(request, self.get_response(request))


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Read a large body, or return the refusal."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return error_page(request, 411, _("Send the length of the request body (Content-Length)."))
    if _length(request) > (most := _most(request)):
        sentence = _("Your request is too large. Send up to {size}.")
        return error_page(request, 413, sentence.format(size=formats.file_size(most)))
    try:
        _receive(request)
    except Busy as error:
        return domain_error_page(request, error)
    except UnreadablePostError:
        return error_page(request, 400, _("Your request didn’t arrive completely. No changes were saved."))
    return None


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _most(request: HttpRequest) -> int:
    if not request.user.is_authenticated:
        return SMALL
    try:
        return getattr(resolve(request.path_info).func, "largest_body", FORM)
    except Resolver404:
        return SMALL


def _receive(request: HttpRequest) -> None:
    with transfers.turn(request.user.pk):
        if request.content_type == "multipart/form-data":
            request.POST  # noqa: B018  (reads it: files to the disk)
        else:
            request.body  # noqa: B018


def _admitted(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Hold a turn for a large file until the client has received it."""
    if not isinstance(response, FileResponse) or int(response.get("Content-Length", "0")) <= LARGE_FILE:
        return response
    stack, closers = ExitStack(), response._resource_closers  # type: ignore[attr-defined]
    try:
        stack.enter_context(transfers.turn(request.user.pk))
    except Busy as error:
        for close in closers:  # not close(), which ends a request
            close()
        return domain_error_page(request, error)
    closers.append(stack.close)
    return response
