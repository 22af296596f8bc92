"""Calling the routes of the matrix: each call is taken back, so that one cannot change what the next one meets."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import caches
from django.db import transaction
from django.test import Client

HTMX = {"HX-Request": "true"}
WAYS = [("GET", {}), ("GET", HTMX), ("POST", {}), ("POST", HTMX)]


def call(client: Client, method: str, url: str, data=None, headers=None):
    """The answer to one request, taken back afterwards."""
    for counters in (caches["default"], caches["limits"]):
        counters.clear()
    client.raise_request_exception = False
    with taken_back():
        if method == "GET":
            return client.get(url, headers=headers or {})
        return client.post(url, data or {}, headers=headers or {})


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever the block writes is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def told(response) -> str:
    """Everything that an answer says: status line, headers, cookies and body."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.headers} {response.cookies} {body.decode(errors='replace')}"
