"""Responses that report a result: a page for browsers, a toast for htmx."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django_htmx.http import trigger_client_event

from crm.kit.errors import (
    ALREADY_TAKEN,
    IN_USE,
    AlreadyTaken,
    Busy,
    Conflict,
    DomainError,
    InUse,
    Invalid,
    NotAllowed,
    Refused,
    TooSlow,
)

STATUS = {NotAllowed: 403, Refused: 409, InUse: 409, Conflict: 409, Invalid: 422, TooSlow: 422, Busy: 503}


def error_page(request, status: int, sentence: str) -> HttpResponse:
    """Return `templates/<status>.html` (or 400.html) with the message; for htmx a toast that keeps the page."""
    if getattr(request, "htmx", False):
        return trigger_client_event(HttpResponse(status=status), "toast", {"text": str(sentence), "tone": "error"})
    template = f"{status}.html" if status in (403, 404, 409, 429) else "400.html"
    return render(request, template, {"sentence": sentence, "status": status}, status=status)


def domain_error_page(request, error: DomainError) -> HttpResponse:
    """Return a page for a verb's error, for views without a better place to show it."""
    sentence = in_use_html(error) if isinstance(error, InUse) and not getattr(request, "htmx", False) else str(error)
    response = error_page(request, STATUS.get(type(error), 400), sentence)
    if isinstance(error, Busy):
        response["Retry-After"] = str(error.RETRY_AFTER)
    return response


def in_use_html(error: InUse) -> SafeString:
    """Return an InUse message with links to the settings that must change first."""
    uses = format_html_join("; ", '<a class="link" href="{1}">{0}</a>', error.uses)
    return format_html(str(IN_USE), refusal=error.sentence, uses=uses)


def toast(request, sentence: str, *, undo_url: str = "") -> None:
    """Confirm what was done, on this response or the next; POST to `undo_url` reverts it."""
    messages.success(request, sentence, extra_tags=undo_url)


def warn(request, sentence: str) -> None:
    """Tell the user what was not done, and why."""
    messages.warning(request, sentence)


def show_errors(form, error: Invalid | InUse) -> None:
    """Show a verb's errors on the form's fields or above the form."""
    if isinstance(error, InUse):
        form.add_error(None, in_use_html(error))
        return
    for key, sentence in error.errors.items():
        text = _naming(error) if isinstance(error, AlreadyTaken) and error.name else sentence
        form.add_error(key if key in form.fields else None, text)


def _naming(error: AlreadyTaken) -> SafeString:
    record = format_html('<a class="link" href="{}">{}</a>', error.url, error.name)
    return format_html(str(ALREADY_TAKEN), problem=error.problem, record=record)


def next_url(request) -> str:
    """Return the destination in `next`; '' if absent or on another site."""
    where = request.POST.get("next") or request.GET.get("next", "")
    return where if where and _is_of_this_site(request, where) else ""


def back(request) -> str:
    """Return the previous page: the form's `next`, then the referring page; never another site."""
    where = request.POST.get("next") or request.headers.get("Referer", "")
    return where if _is_of_this_site(request, where) else "/"


def _is_of_this_site(request, where: str) -> bool:
    return url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
