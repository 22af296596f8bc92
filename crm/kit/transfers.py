"""What may be sent to us and by whom, decided before any of it is read; and how many may send or take much at once."""

from collections.abc import Callable
from contextlib import ExitStack

from django.http import FileResponse, HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from crm.kit.errors import Busy
from crm.kit.pool import FairSemaphore
from crm.kit.responses import domain_error_page, error_page

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
        if "HTTP_TRANSFER_ENCODING" in request.META:
            return error_page(request, 411, "Send the length of the body with it (Content-Length).")
        if (length := _length(request)) > SMALL:
            if length > (most := _most(request)):
                return error_page(request, 413, f"What you sent is too large: at most {_size(most)} are accepted here.")
            try:
                _receive(request)
            except Busy as error:
                return domain_error_page(request, error)
            except UnreadablePostError:
                return error_page(request, 400, "What you sent did not arrive completely. Nothing was changed.")
        return _admitted(request, self.get_response(request))


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
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} KB"


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
