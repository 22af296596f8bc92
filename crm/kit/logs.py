"""Logging: one line per event, with its request id and without personal data.

Omitted: addresses, query strings, form values, emails, and all but the first line of an exception's message (PostgreSQL
puts the row's values into the others).

Why: docs/decisions/0056-logs-hold-no-personal-data.md
"""

import json
import logging
import time
import traceback
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from crm.kit.sqlite import courtesy

log = logging.getLogger("crm.request")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the current request, '' outside one; shown on error pages and in every log line."""
    return _request_id.get()


class RequestLog:
    """The outermost middleware: sets X-Request-ID on the response and logs the outcome."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request_id.set(uuid.uuid4().hex[:16])
        started = time.perf_counter()
        try:
            with courtesy.count_request():
                response = self.get_response(request)
            response["X-Request-ID"] = request_id()
            _log_answer(request, response, round((time.perf_counter() - started) * 1000))
            return response
        finally:
            _request_id.reset(token)


def _log_answer(request: HttpRequest, response: HttpResponse, milliseconds: int) -> None:
    # The route, not the path: a path may contain typed text.
    route = request.resolver_match.route if request.resolver_match else "-"
    quiet = route in ("-", "healthz", "readyz", "metrics") and response.status_code < 400  # static files and probes
    level = logging.DEBUG if quiet else logging.INFO
    log.log(level, "%s /%s %s in %s ms", request.method, route, response.status_code, milliseconds)


class RouteInsteadOfPath(logging.Filter):
    """Log filter that replaces paths in Django's records by routes: a path may be a secret, e.g. an invitation's."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        path = getattr(request, "path", "")
        if len(path) > 1:
            match = getattr(request, "resolver_match", None)
            record.msg, record.args = record.getMessage().replace(path, f"/{match.route if match else '-'}"), ()
        return True


class OneLine(logging.Formatter):
    """Formatter for a log record as one line of JSON: time, level, logger, request, message, and error if any."""

    converter = staticmethod(time.gmtime)  # type: ignore[assignment]

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "request": request_id(),
            "message": impersonal(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = _error(record.exc_info[1])
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)


def impersonal(text: str) -> str:
    """Return `text` on one line, without email addresses and query strings."""
    return " ".join(_impersonal_word(word) for word in text.split())


def _impersonal_word(word: str) -> str:
    if "@" in word:
        return "[e-mail]"
    before, question_mark, query = word.partition("?")
    return f"{before}?…" if query else before + question_mark


def _error(error: BaseException) -> str:
    frames = reversed(traceback.extract_tb(error.__traceback__)[-20:])
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    first_line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {impersonal(first_line)} at {places}"
