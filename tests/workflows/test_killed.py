"""Exactly one run per event, and each step once, even if the process is killed during them."""

import http.server
import json
import threading
import time

import pytest

from tests.events.processes import Product, kill, own_database

PEOPLE = 60
MAKE = """
from crm.kit.scope import in_workspace
from crm.users.models import Membership, Workspace
from crm.workflows.models import Workflow
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow
workspace = Workspace.objects.get()
with in_workspace(workspace):
    Membership.objects.update(role="admin")
    by = lambda: Membership.objects.get().actor("command")
    note = {{"kind": "activity", "activity": "note", "priority": "low", "who": "workflow_owner"}}
    steps = [
        note | {{"subject": "first"}},
        {{"kind": "branch", "condition": "name contains 1"}},
        note | {{"subject": "one"}},
        {{"kind": "otherwise"}},
        note | {{"subject": "other"}},
        {{"kind": "end"}},
        {{"kind": "wait", "amount": "0", "unit": "minutes"}},
        {{"kind": "webhook", "url": "{url}"}},
        note | {{"subject": "last"}},
    ]
    trigger = {{"kind": "transition", "entity": "contact", "to": "lifecycle_stage=lost"}}
    made = save_workflow(Workflow(), name="Lost", owner=by().member_id, trigger=trigger, condition="", steps=steps,
                         by=by())
    switch_workflow(made, True, by=by())
"""


class Slow(http.server.BaseHTTPRequestHandler):
    """A slow receiver, so that kills hit requests in progress; records the ids."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        time.sleep(0.05)
        self.server.came.append(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        """Silence the log."""


@pytest.fixture
def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.came = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def product(tmp_path, db, receiver):
    """Return the product with the workflow, on a database of its own on the suite's engine."""
    with own_database(tmp_path) as url:
        product = Product(tmp_path, url, WEBHOOK_NETWORKS="127.0.0.0/8")
        made = product.manage("shell", "-c", MAKE.format(url=f"http://127.0.0.1:{receiver.server_port}/"))
        assert made.returncode == 0, made.stderr
        product.left = product.left[:PEOPLE]
        yield product


def counted(product, sql: str) -> int:
    return product.one(sql)


def wait_for(product, sql: str, number: int, seconds: float) -> None:
    """Wait until that many exist. Raises AssertionError after `seconds` without a new one."""
    last, ends = -1, 0.0
    while (found := counted(product, sql)) < number:
        if found > last:
            last, ends = found, time.monotonic() + seconds
        assert time.monotonic() < ends, (found, product.states(), product._rows(STATES))
        time.sleep(0.1)


STATES = "SELECT status, position, count(*) FROM workflows_run GROUP BY status, position"
NOTES = "SELECT count(*) FROM contacts_activity WHERE subject = '{}'"
SENT = "SELECT count(*) FROM workflows_steprun WHERE kind = 'webhook' AND status = 'done'"
DONE = "SELECT count(*) FROM workflows_run WHERE status = 'done'"
LEASE = 40  # a lease, the job's next check, and a slow machine


def test_a_kill_in_the_middle_of_branches_waits_and_webhooks(product, receiver):
    stops = [(NOTES.format("first"), PEOPLE // 4), (SENT, PEOPLE // 6), (SENT, PEOPLE // 2)]
    for sql, number in stops:
        with product.up() as server, product.losing():
            wait_for(product, sql, number, LEASE)
            kill(server)
    with product.up(), product.losing():
        wait_for(product, DONE, PEOPLE, LEASE)
    assert counted(product, "SELECT count(*) FROM workflows_run") == PEOPLE
    once = "SELECT count(*), count(DISTINCT contact_id) FROM contacts_activity WHERE subject = '{}'"
    for subject in ("first", "last"):
        assert product.row(once.format(subject)) == (PEOPLE, PEOPLE)
    ways = "SELECT count(*), count(DISTINCT contact_id) FROM contacts_activity WHERE subject IN ('one', 'other')"
    assert product.row(ways) == (PEOPLE, PEOPLE)
    assert len(set(receiver.came)) == PEOPLE
    assert json.dumps(product.states()).count("dead") == 0
