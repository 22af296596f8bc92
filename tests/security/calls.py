"""Calls of the matrix's routes, each rolled back, so that they don't affect one another."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import caches
from django.db import transaction
from django.test import Client

HTMX = {"HX-Request": "true"}
WAYS = [("GET", {}), ("GET", HTMX), ("POST", {}), ("POST", HTMX)]


def call(client: Client, method: str, url: str, data=None, headers=None):
    """Return the response to one request, rolled back afterwards."""
    for counters in (caches["default"], caches["limits"]):
        counters.clear()
    client.raise_request_exception = False
    with taken_back():
        if method == "GET":
            return client.get(url, headers=headers or {})
        return client.post(url, data or {}, headers=headers or {})


@contextmanager
def taken_back() -> Iterator[None]:
    """Roll back all writes of the block."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def told(response) -> str:
    """Return a response's whole content: status line, headers, cookies and body."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.headers} {response.cookies} {body.decode(errors='replace')}"
