"""What may be sent to us and by whom, decided before any of it is read; and how many may send or take much at once."""

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

SMALL = 64 * 1024  # bytes, of a body that anybody may send: the server has it before it gives a thread to the request
FORM = 1 << 20  # of a form that a member sends
LARGE_FILE = 256 * 1024  # of an answer: more than the kernel keeps for a slow reader
# Each occupies a thread for as long as the client takes: see crm.kit.worker for how slow it may be.
transfers = FairSemaphore(size=3, queue=2, patience=2)


def max_body_size(largest: int) -> Callable[[Callable], Callable]:
    """A view to which members may send bodies of up to so many bytes."""

    def mark(view: Callable) -> Callable:
        view.largest_body = largest  # type: ignore[attr-defined]
        return view

    return mark


class TransferMiddleware:
    """Refuses bodies that are too large before they reach memory or the disk; needs the user.

    It stands before whatever reads a body: views, and the views' middleware that looks for the form's token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_TRANSFER_ENCODING" in request.META or _length(request) > SMALL:
            # Which workspace is open nobody has asked yet.
            with speaking(getattr(request.user, "language", "") or get_language_from_request(request)):
                if refusal := _refusal(request):
                    return refusal
        return _admitted(request, self.get_response(request))


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Take a large body in, or say why not."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return error_page(request, 411, _("Send the length of the request body (Content-Length)."))
    if _length(request) > (most := _most(request)):
        return error_page(request, 413, _("Your request is too large. Send up to {size}.").format(size=_size(most)))
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


def _size(size: int) -> str:
    if size >= 1 << 20:
        return _("{size} MB").format(size=formats.number(size >> 20))
    return _("{size} KB").format(size=formats.number(size >> 10))


def _admitted(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """A large file waits for its turn, which ends when the client has it."""
    if not isinstance(response, FileResponse) or int(response.get("Content-Length", "0")) <= LARGE_FILE:
        return response
    stack, closers = ExitStack(), response._resource_closers  # type: ignore[attr-defined]
    try:
        stack.enter_context(transfers.turn(request.user.pk))
    except Busy as error:
        for close in closers:  # not close(), with which a request ends
            close()
        return domain_error_page(request, error)
    closers.append(stack.close)
    return response
