"""Answers that say what happened: a page for a browser, a toast for htmx."""

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
    """The page `templates/<status>.html` (or 400.html) with the sentence; for htmx a toast that leaves the page."""
    if getattr(request, "htmx", False):
        return trigger_client_event(HttpResponse(status=status), "toast", {"text": str(sentence), "tone": "error"})
    template = f"{status}.html" if status in (403, 404, 409, 429) else "400.html"
    return render(request, template, {"sentence": sentence, "status": status}, status=status)


def domain_error_page(request, error: DomainError) -> HttpResponse:
    """What a verb said no with, for views that have no better place to show it."""
    sentence = in_use_html(error) if isinstance(error, InUse) and not getattr(request, "htmx", False) else str(error)
    response = error_page(request, STATUS.get(type(error), 400), sentence)
    if isinstance(error, Busy):
        response["Retry-After"] = str(error.RETRY_AFTER)
    return response


def in_use_html(error: InUse) -> SafeString:
    """What an InUse says, with a link to each setting that has to be changed first."""
    uses = format_html_join("; ", '<a class="link" href="{1}">{0}</a>', error.uses)
    return format_html(str(IN_USE), refusal=error.sentence, uses=uses)


def toast(request, sentence: str, *, undo_url: str = "") -> None:
    """Tell the person what was done, on this answer or the next; POST to `undo_url` takes it back."""
    messages.success(request, sentence, extra_tags=undo_url)


def warn(request, sentence: str) -> None:
    """Tell the person what was not done, and why."""
    messages.warning(request, sentence)


def show_errors(form, error: Invalid | InUse) -> None:
    """Put what a verb found wrong beside the form's fields, or above the form."""
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
    """Where a form or a link says to go afterwards, in `next`; '' when it says nothing, or means another site."""
    where = request.POST.get("next") or request.GET.get("next", "")
    return where if where and _is_of_this_site(request, where) else ""


def back(request) -> str:
    """Where the person was: what the form says in `next`, else the page it was sent from; no other site."""
    where = request.POST.get("next") or request.headers.get("Referer", "")
    return where if _is_of_this_site(request, where) else "/"


def _is_of_this_site(request, where: str) -> bool:
    return url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
