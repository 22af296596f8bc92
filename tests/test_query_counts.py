"""SQL statements per page, stored in tests/query_counts.json; UPDATE_COUNTS=1 rewrites that file.

Without transaction control (savepoints, time limits). Both engines must need the same.
"""

import json
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from zeal import zeal_context
from zeal.errors import NPlusOneError

from contacts.models import Contact
from contacts.verbs.log import log
from crm.kit import clock
from crm.kit.scope import in_workspace
from crm.records.registry import RECORD_TYPES
from crm.records.verbs.edit import edit
from tests.factories import make_company, make_contact
from tests.installed import legacy_leads
from tests.security import world as worlds
from tests.security.matrix import ADMIN, MATRIX, url
from tests.security.world import act, rows

FILE = Path(__file__).with_name("query_counts.json")
CONTROL = re.compile(r"\s*(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|SET |SELECT set_config)", re.IGNORECASE)
PART = re.compile(r"\bpart_\d+ AS \(")  # part of a statement that SQLite gets separately
# COPY, on PostgreSQL, bypasses the counter.
UNCOUNTED = {
    "activity_export",
    "contact_export",
    "company_export",
    "opportunity_export",
    "lead_export",
    "legacy_lead_export",
}
LIST_AT_MOST, RECORD_AT_MOST = 5, 20  # PERFORMANCE, ratios 1 and 4


def statements(client, address: str) -> list[str]:
    """Return the statements of a page shown before, with warm caches. Raises NPlusOneError for row-by-row reads."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured, zeal_context():
        response = client.get(address)
        b"".join(response.streaming_content) if response.streaming else response.content
    assert response.status_code < 500
    return [part for query in captured if not CONTROL.match(query["sql"]) for part in PART.split(query["sql"])]


@pytest.fixture
def world(cast, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return worlds.build(cast)


def test_every_page_costs_what_is_written_down(world, sign_in):
    rep, admin = sign_in("rep"), sign_in("admin")
    counts = {
        name: len(
            statements(admin if route.get == ADMIN else rep, url(name, route.args(world.own) if route.args else ()))
        )
        for name, route in sorted(MATRIX.items())
        if route.get is not None and not route.public and name not in UNCOUNTED
    }
    if os.environ.get("UPDATE_COUNTS") == "1":
        FILE.write_text(json.dumps(counts, indent=1) + "\n")
    written = {name: count for name, count in json.loads(FILE.read_text()).items() if name in MATRIX}
    changed = {name: (written.get(name), counts.get(name)) for name in written.keys() | counts.keys()}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    assert not changed, f"Page: (written down, now). Look why, then UPDATE_COUNTS=1. {changed}"
    assert counts["contact_list"] <= LIST_AT_MOST
    assert counts["company_list"] <= LIST_AT_MOST
    assert counts["opportunity_list"] <= LIST_AT_MOST
    assert counts["opportunity_board"] <= LIST_AT_MOST
    assert counts["lead_list"] <= LIST_AT_MOST
    assert counts["lead_board"] <= LIST_AT_MOST
    assert counts["contact"] <= RECORD_AT_MOST
    assert counts["company"] <= RECORD_AT_MOST
    assert counts["opportunity"] <= RECORD_AT_MOST
    if legacy_leads:
        assert counts["legacy_lead_list"] <= LIST_AT_MOST + 1  # plus the count of the read
        assert counts["legacy_lead"] <= RECORD_AT_MOST + 1
    assert counts["lead"] <= RECORD_AT_MOST


@pytest.mark.once
@pytest.mark.parametrize("entity", ["contact", "company", "opportunity"])
@pytest.mark.parametrize("query", ["view=all", "view=ownmark-shared", "view=all&q=person", "view=all&sort=owner"])
def test_a_list_costs_the_same_with_ten_rows_and_a_hundred(entity, query, world, cast, acme, sign_in):
    client, make, counted = sign_in("rep"), RECORD_TYPES[entity].create, []
    whose = {"contact": world.own.contact} if entity == "opportunity" else {}
    for size in (10, 90):
        by = act(cast.rep)
        make([{"name": f"person {size} {number}", "owner": cast.rep.pk} | whose for number in range(size)], by=by)
        counted.append(len(statements(client, f"/{entity}?{query}")))
    assert counted[0] == counted[1] <= LIST_AT_MOST


@pytest.mark.once
@pytest.mark.parametrize("entity", ["contact", "company"])
def test_a_record_costs_the_same_with_five_entries_and_five_hundred(entity, world, cast, acme, sign_in):
    record, client, counted = getattr(world.own, entity), sign_in("rep"), []
    for few in (5, 495):
        for number in range(few // 5):
            with clock.at(clock.now() - timedelta(minutes=number)):
                write(record, entity, number, cast)
        counted.append(len(statements(client, record.get_absolute_url())))
    assert counted[0] == counted[1] <= RECORD_AT_MOST


def test_who_reads_row_by_row_is_found_out(acme, cast):
    for _ in range(3):
        make_contact(company=make_company())
    with zeal_context(), pytest.raises(NPlusOneError):
        print([contact.company.name for contact in Contact.objects.all()])


def write(record, entity: str, number: int, cast) -> None:
    """Write five entries: an edit that changes links, notes, a task."""
    with in_workspace(cast.acme):
        owner, team = (cast.mate, cast.iberia) if number % 2 else (cast.rep, cast.nordics)
        edit(rows(record), {"owner": owner, "team": team}, by=act(cast.manager))
        about = {f"{entity}_id": record.pk}
        for kind in ("note", "call", "email", "task"):
            outcome = {"outcome": "connected"} if kind == "call" else {}
            log([{"kind": kind, "subject": f"{kind} {number}", **about, **outcome}], by=act(cast.rep))
