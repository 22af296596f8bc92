"""Cost of the list and board of opportunities, in two pipelines: statements, and times."""

import logging
from collections.abc import Iterator

from django.conf import settings

from bench.data import Place, deals, place
from bench.http import Browser, against, server
from bench.measure import Ratio
from bench.pages import EMPTY, client, deep, statements
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.opportunities.models import Opportunity
from crm.opportunities.verbs.create_pipeline import create_pipeline

LISTS = {
    "open, first page": "/opportunity?view=open",
    "all, first page": "/opportunity?view=all",
    "one stage, first page": "/opportunity?view=all&stage=proposal",
    "all, page 20": "/opportunity?view=all#20",
}
BOARD = "/opportunity/board?view=open"


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratios 1 to 3 of opportunities: `size` of them against a tenth."""
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["testserver"], False
    large, small = _with_deals("deals-large", size), _with_deals("deals-small", size // 10)
    manager = client(large.manager)
    for name, url in (("list", LISTS["open, first page"]), ("board", BOARD)):
        yield Ratio("1", f"SQL statements of the {name} of opportunities", 6, lambda url=url: statements(manager, url))
    with server() as port:
        boss = Browser(port, large.manager)
        name = "list of opportunities, p50 / empty signed-in page, p50"
        yield Ratio("2", name, 2.5, against(boss, LISTS["open, first page"], boss, EMPTY))
        for name, url in LISTS.items():
            for who in ("manager", "rep"):
                big, little = (Browser(port, getattr(where, who)) for where in (large, small))
                take = against(big, deep(big, url), little, deep(little, url))
                yield Ratio("3", f"{name}, as {who}: {size:,} / {size // 10:,} opportunities, p50", 1.3, take)


def _with_deals(slug: str, contacts: int) -> Place:
    found = place(slug, contacts)
    with in_workspace(found.workspace):
        if not Opportunity.objects.exists():
            create_pipeline("Renewals", template="renewals", by=system(found.workspace.pk))
            deals()
    return found
