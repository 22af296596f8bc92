"""Answers that say what happened: a page for a browser, a toast for htmx."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import trigger_client_event

from crm.kit.errors import Busy, Conflict, DomainError, Invalid, NotAllowed, Refused, TooSlow

STATUS = {NotAllowed: 403, Refused: 409, Conflict: 409, Invalid: 422, TooSlow: 422, Busy: 503}


def error_page(request, status: int, sentence: str) -> HttpResponse:
    """The page `templates/<status>.html` (or 400.html) with the sentence; for htmx a toast that leaves the page."""
    if getattr(request, "htmx", False):
        return trigger_client_event(HttpResponse(status=status), "toast", {"text": sentence, "tone": "error"})
    template = f"{status}.html" if status in (403, 404, 409, 429) else "400.html"
    return render(request, template, {"sentence": sentence, "status": status}, status=status)


def domain_error_page(request, error: DomainError) -> HttpResponse:
    """What a verb said no with, for views that have no better place to show it."""
    response = error_page(request, STATUS.get(type(error), 400), str(error))
    if isinstance(error, Busy):
        response["Retry-After"] = str(error.RETRY_AFTER)
    return response


def toast(request, sentence: str, *, undo_url: str = "") -> None:
    """Tell the person what was done, on this answer or the next; POST to `undo_url` takes it back."""
    messages.success(request, sentence, extra_tags=undo_url)


def warn(request, sentence: str) -> None:
    """Tell the person what was not done, and why."""
    messages.warning(request, sentence)


def show_errors(form, error: Invalid) -> None:
    """Put what a verb found wrong beside the form's fields, or above the form."""
    for key, sentence in error.errors.items():
        form.add_error(key if key in form.fields else None, sentence)


def back(request) -> str:
    """Where the person was: what the form says in `next`, else the page it was sent from; no other site."""
    where = request.POST.get("next") or request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return where if allowed else "/"
