"""Rate limits per member and workspace for expensive actions, from settings.RATE_LIMITS."""

import time
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.cache import caches
from django.http.response import HttpResponseBase

from crm.kit import formats
from crm.kit.responses import error_page
from crm.kit.translation import ngettext
from crm.users.http import Request

View = Callable[..., HttpResponseBase]


def limited(action: str, *, applies: Callable[[Request], bool] = lambda request: True) -> Callable[[View], View]:
    """Decorate a view to return 429 with Retry-After if a member does `action` too often.

    Counts only requests that it `applies` to, per membership: addresses and headers make no difference.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counting(request: Request, *args, **kwargs) -> HttpResponseBase:
            wait = _seconds_to_wait(action, request.member.pk) if applies(request) else 0
            return _too_often(request, action, wait) if wait else view(request, *args, **kwargs)

        return counting

    return decorate


def searches(request: Request) -> bool:
    """Return whether a request searches text, which is slower than opening a page."""
    return bool(request.GET.get("q", "").strip())


def uploads(request: Request) -> bool:
    return request.method == "POST"


def _seconds_to_wait(action: str, member: int) -> int:
    """Return 0, or the seconds until the member may continue: counters restart with each time window."""
    most, seconds = settings.RATE_LIMITS[action]
    span, gone = divmod(int(time.time()), seconds)
    key = f"limit:{action}:{member}:{span}"
    counters = caches["limits"]
    counters.add(key, 0, seconds)
    try:
        used = counters.incr(key)
    except ValueError:  # it expired between the two lines
        return 0
    return seconds - gone if used > most else 0


def _too_often(request: Request, action: str, wait: int) -> HttpResponseBase:
    most, seconds = settings.RATE_LIMITS[action]
    minutes = seconds // 60
    limit = ngettext(
        "You’ve reached the limit of {most} requests per minute.",
        "You’ve reached the limit of {most} requests in {minutes} minutes.",
        minutes,
    )
    limit = limit.format(most=formats.number(most), minutes=formats.number(minutes))
    response = error_page(request, 429, f"{limit} {_try_again(wait)}")
    response["Retry-After"] = str(wait)
    return response


def _try_again(wait: int) -> str:
    if wait > 90:
        minutes = -(-wait // 60)
        sentence = ngettext("Try again in {count} minute.", "Try again in {count} minutes.", minutes)
        return sentence.format(count=minutes)
    return ngettext("Try again in {count} second.", "Try again in {count} seconds.", wait).format(count=wait)
