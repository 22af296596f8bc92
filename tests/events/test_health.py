"""Output for probes, Prometheus and operators."""

import json
import threading
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from crm.events import engine, health
from crm.events.engine import Engine, drain
from crm.events.models import Delivery, Event, Heartbeat, State
from crm.events.relay import relay

pytestmark = pytest.mark.django_db
TOKEN = "m" * 20


@pytest.fixture
def beating():
    """Simulate a recent heartbeat."""
    Heartbeat.objects.bulk_create(Heartbeat(part=part, at=timezone.now()) for part in health.PARTS)


@pytest.fixture
def dead(handle, happen):
    handle(lambda event, *, by: None)
    happen(1)
    relay()
    Delivery.objects.unscoped().update(state=State.DEAD, due_at=None)


def ready(client) -> tuple[int, str]:
    response = client.get("/readyz")
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.content.decode()


def test_ready_when_all_is_well(client, beating):
    assert ready(client) == (200, "ready\n")


def test_not_ready_without_an_engine(client, beating):
    Heartbeat.objects.filter(part="relay").update(at=timezone.now() - timedelta(seconds=11))
    status, why = ready(client)
    assert (status, why.split(";")[0]) == (503, "engine: no heartbeat from relay")


def test_not_ready_when_an_event_waits_for_long(client, beating, handle, happen):
    handle(lambda event, *, by: None)
    happen(1)
    assert ready(client)[0] == 200
    Event.objects.unscoped().update(recorded_at=timezone.now() - timedelta(minutes=6))
    assert ready(client) == (503, "lag: an event has been waiting for more than 5 minutes\n")
    relay()
    assert ready(client)[0] == 503
    drain()
    assert ready(client)[0] == 200


def test_what_waits_behind_a_dead_delivery_is_no_lag(client, beating, dead, happen):
    happen(1)
    relay()
    Delivery.objects.unscoped().exclude(due_at=None).update(due_at=timezone.now() - timedelta(minutes=6))
    assert ready(client) == (200, "warning: 1 dead deliveries; run manage.py outbox status\n")


def test_not_ready_with_migrations_to_apply(client, beating, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["one"])
    assert ready(client) == (503, "migrations: some are pending; run manage.py migrate\n")


def test_not_ready_without_a_database_but_alive(client, monkeypatch):
    def broken():
        raise DatabaseError("no connection to db.internal")

    monkeypatch.setattr(health, "_database", broken)
    assert ready(client) == (503, "database: can't be used\n")
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_hangs_is_noticed(client, monkeypatch, handle):
    go_on = threading.Event()
    monkeypatch.setattr(engine, "relay", lambda: go_on.wait(30))
    monkeypatch.setattr(health, "SILENCE", timedelta(seconds=4))  # longer than a beat; saves the test 15 s
    stop = Engine().start()
    try:
        ends = time.monotonic() + 15
        while ready(client)[0] != 503 or "from relay;" not in ready(client)[1]:
            assert time.monotonic() < ends
            time.sleep(0.2)
        assert client.get("/healthz").status_code == 200
    finally:
        go_on.set()
        stop()


@pytest.mark.parametrize("token, given", [("", ""), ("", "Bearer "), (TOKEN, ""), (TOKEN, "Bearer wrong")])
def test_metrics_are_not_there_without_the_token(client, settings, token, given):
    settings.METRICS_TOKEN = token
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_metrics_are_prometheus_text(client, settings, beating, dead):
    settings.METRICS_TOKEN = TOKEN
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    lines = response.content.decode().splitlines()
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert lines[:4] == [
        "# TYPE throughline_deliveries gauge",
        'throughline_deliveries{state="pending"} 0',
        'throughline_deliveries{state="leased"} 0',
        'throughline_deliveries{state="dead"} 1',
    ]
    assert any(line.startswith('throughline_heartbeat_age_seconds{part="relay"} ') for line in lines)
    assert not [line for line in lines if not line.startswith(("#", "throughline_"))]


def outbox(capsys, *arguments) -> tuple[int, dict]:
    """Return exit status and report of the command."""
    try:
        call_command("outbox", *arguments, "--json")
        status = 0
    except SystemExit as stop:
        status = stop.code
    return status, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_outbox_status(capsys, handle, happen, cast):
    handle(lambda event, *, by: None)
    happen(1, 2)
    Event.objects.unscoped().update(recorded_at=timezone.now() - timedelta(seconds=90))
    expected = {"pending": 2, "leased": 0, "dead": 0, "oldest_seconds": 90}
    assert outbox(capsys, "status") == (0, expected)
    relay()
    assert outbox(capsys, "status", "--workspace", "acme") == (0, expected)
    assert outbox(capsys, "status", "--workspace", "globex") == (0, dict.fromkeys(expected, 0))


def test_outbox_status_fails_when_something_is_dead(capsys, dead):
    assert outbox(capsys, "status") == (1, {"pending": 0, "leased": 0, "dead": 1, "oldest_seconds": 0})
    with pytest.raises(SystemExit):
        call_command("outbox", "status")
    assert capsys.readouterr().out == "Pending: 0\nIn progress: 0\nFailed: 1\nOldest pending event: 0 s\n"


def test_outbox_retry_and_drain(capsys, dead):
    assert outbox(capsys, "retry", "--workspace", "globex")[1]["retried"] == 0
    status, report = outbox(capsys, "retry", "--workspace", "acme")
    assert (status, report["retried"], report["pending"]) == (0, 1, 1)
    status, report = outbox(capsys, "drain")
    assert (status, report["tried"], report["pending"]) == (0, 1, 0)


@pytest.mark.parametrize(
    "arguments, why",
    [
        (("status", "--workspace", "nowhere"), "Workspace “nowhere” not found"),
        (("drain", "--workspace", "acme"), "without --workspace"),
    ],
)
def test_outbox_refuses_nonsense(arguments, why, cast):
    with pytest.raises(CommandError, match=why) as refused:
        call_command("outbox", *arguments)
    assert refused.value.returncode == 2


def test_an_admin_sees_the_reason_and_runs_it_again(dead, sign_in):
    Delivery.objects.unscoped().update(last_error="ValueError: no luck")
    admin, address = sign_in("admin"), "/admin/events/delivery/"
    assert "ValueError: no luck" in admin.get(address).content.decode()
    one = Delivery.objects.unscoped().get()
    form = {"action": "run_again", "_selected_action": [one.pk]}
    sign_in("globex_admin").post(address, form)
    assert Delivery.objects.unscoped().get().state == State.DEAD
    page = admin.post(address, form, follow=True).content.decode()
    assert "1 job will be retried." in page
    assert Delivery.objects.unscoped().get().state == State.PENDING


@pytest.mark.parametrize("who, shown", [("admin", True), ("globex_admin", False), ("rep", False)])
def test_admins_see_beside_the_settings_how_many_are_overdue(who, shown, dead, sign_in):
    page = sign_in(who).get("/settings/profile/").content.decode()
    entry = 'href="/admin/events/delivery/"'
    assert (entry in page) == (who != "rep")
    assert ('<span class="nav-count">1</span>' in page) == shown
