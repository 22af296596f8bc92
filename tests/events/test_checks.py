"""Celery settings that would lose, delay or duplicate messages abort startup."""

import subprocess
import sys

import pytest

from crm.events import checks
from crm.events.handlers import all_handlers
from tests.kit.commands import ROOT, environment, manage

pytestmark = pytest.mark.once

REDIS = {"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/crm"}


@pytest.fixture
def broker(settings):
    """Configure a broker; return the settings."""
    settings.CELERY_BROKER_URL = "redis://localhost"
    return settings


def test_the_shipped_settings_are_safe(broker):
    assert checks.celery_is_safe(None) == []


@pytest.mark.parametrize("name", checks.REQUIRED)
def test_each_unsafe_setting_is_refused_by_name(name, broker):
    setattr(broker, name, "something else")
    (error,) = checks.celery_is_safe(None)
    assert (error.id, error.msg.split()[0]) == ("crm.E010", name)


@pytest.mark.parametrize(
    "name, value",
    [
        ("CELERY_TASK_TIME_LIMIT", None),
        ("CELERY_TASK_SOFT_TIME_LIMIT", 60),
        ("DELIVERY_LEASE", 60),
        ("CELERY_BROKER_TRANSPORT_OPTIONS", {"visibility_timeout": 80, "unacked_restore_throttle": 1}),
    ],
)
def test_times_that_overlap_are_refused(name, value, broker):
    setattr(broker, name, value)
    (error,) = checks.celery_is_safe(None)
    assert error.id == "crm.E011"


def test_late_and_hard_endings_are_refused(broker):
    broker.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 150}
    broker.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 0
    assert [error.id for error in checks.celery_is_safe(None)] == ["crm.E012", "crm.E013"]


def test_without_a_broker_nothing_is_asked(settings):
    settings.CELERY_BROKER_URL, settings.DELIVERY_LEASE = "", 1
    assert checks.celery_is_safe(None) == []


@pytest.mark.once
def test_workers_beside_sqlite_are_warned_of(broker):
    assert [warning.id for warning in checks.workers_beside_sqlite(None)] == ["crm.W002"]
    broker.CELERY_BROKER_URL = ""
    assert checks.workers_beside_sqlite(None) == []


def test_a_handler_of_an_event_that_nobody_declares_is_refused(handle):
    handle(lambda event, *, by: None)
    (error,) = checks.handlers_of_nothing(None)
    assert error.id == "crm.E014"
    assert "'record.changed'" in error.msg


def test_every_shipped_handler_handles_what_is_declared():
    assert checks.handlers_of_nothing(None) == []
    assert all(handler.names() for handler in all_handlers())


@pytest.mark.once
def test_check_names_the_error(tmp_path):
    settings = tmp_path / "unsafe.py"
    settings.write_text("from crm.settings import *\nCELERY_BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': 10}\n")
    values = REDIS | {"DJANGO_SETTINGS_MODULE": "unsafe", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = manage(tmp_path, "check", "--deploy", **values)
    assert done.returncode == 1
    assert "crm.E011" in done.stderr


@pytest.mark.once
def test_the_web_process_does_not_load_celery(tmp_path):
    code = "import sys, crm.wsgi, crm.urls; print(sorted(m for m in sys.modules if m in ('celery', 'redis', 'kombu')))"
    env = environment(tmp_path, DJANGO_SETTINGS_MODULE="crm.settings", **REDIS)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
