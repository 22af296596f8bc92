"""Ratios 1 to 4: cost of a list and a record page, in statements, against an empty page, and by row count."""

import gzip
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.data import Place, place
from bench.http import Browser, against, server
from bench.measure import Ratio
from contacts.models import Contact
from contacts.verbs.log import log
from crm.kit import clock
from crm.kit.actor import Channel
from crm.kit.scope import in_workspace
from crm.users.models import Membership

VIEW, EMPTY = "/contact?view=recent-leads", "/bench/empty"
NEXT = re.compile(r'rel="next" href="([^"]+)"')


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratios of `size` rows against a tenth of them."""
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["testserver"], False
    large, small = place("large", size), place("small", size // 10)
    manager = client(large.manager)
    yield Ratio("1", "SQL statements of a list page, saved view", 5, lambda: statements(manager, VIEW))
    records = {entries: record(large, entries) for entries in (5, 500)}
    with server() as port:
        yield from _over_http(port, large, small, size)
        boss = Browser(port, large.manager)
        yield Ratio("4", "record page, p50 / empty signed-in page, p50", 4, against(boss, records[500], boss, EMPTY))
    for entries, url in records.items():
        name = f"SQL statements of a record page, {entries} timeline entries"
        yield Ratio("4", name, 20, lambda url=url: statements(manager, url))


def _over_http(port: int, large: Place, small: Place, size: int) -> Iterator[Ratio]:
    boss = Browser(port, large.manager)
    yield Ratio("2", "list page, p50 / empty signed-in page, p50", 2.5, against(boss, VIEW, boss, EMPTY))
    for name, url in LISTS.items():
        for who in ("manager", "rep"):
            big, little = (Browser(port, getattr(where, who)) for where in (large, small))
            take = against(big, deep(big, url), little, deep(little, url))
            yield Ratio("3", f"{name}, as {who}: {size:,} / {size // 10:,} rows, p50", 1.3, take)


LISTS = {
    "saved view, first page": VIEW,
    "all, first page": "/contact?view=all",
    "by name, first page": "/contact?view=all&sort=name",
    "all, page 20": "/contact?view=all#20",
}


def client(member: Membership) -> Client:
    signed_in = Client()
    signed_in.force_login(member.user)
    return signed_in


def statements(signed_in: Client, url: str) -> float:
    """Return a page's number of SQL statements, without transaction control."""
    with CaptureQueriesContext(connection) as captured:
        signed_in.get(url)
    control = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")
    return sum(not query["sql"].startswith(control) for query in captured.captured_queries)


def deep(browser: Browser, url: str) -> str:
    """Return the URL of page `#20`, found by paging."""
    url, _, number = url.partition("#")
    for _ in range(int(number or 1) - 1):
        following = NEXT.search(gzip.decompress(browser.get(url)).decode())
        url = unescape(following[1]) if following else url
    return url


def record(where: Place, entries: int) -> str:
    """Return the URL of a contact with that many timeline entries."""
    with in_workspace(where.workspace):
        contact = Contact.objects.order_by("pk")[entries]
        by = where.manager.actor(Channel.WEB)
        for number in range(entries):
            with clock.at(timezone.now() - timedelta(minutes=number)):
                log([{"kind": "note", "subject": f"Note {number}", "contact_id": contact.pk}], by=by)
        chief, junior = Contact.objects.order_by("-pk")[:2]
        Contact.objects.filter(pk=contact.pk).update(manager=chief, public_id=f"contact_{entries:09d}")
        Contact.objects.filter(pk=junior.pk).update(manager=contact)
    return f"/contact/contact_{entries:09d}"
