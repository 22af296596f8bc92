"""The files under deploy/ start all services, with all queues."""

import configparser
import shlex

import pytest
import yaml
from django.core.management import get_commands

from crm.events.handlers import QUEUES
from tests.architecture.source import ROOT

pytestmark = pytest.mark.once
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yml").read_text())
WORKER = ["celery", "-A", "crm", "worker", "--loglevel", "warning", "--queues", ",".join(QUEUES)]
EXPECTED = {
    "web": ["python", "manage.py", "up", "--web-only"],
    "engine": ["python", "manage.py", "engine"],
    "worker": WORKER,
}


def described() -> set[str]:
    """Return the variables in .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line.partition("=")[0] for line in lines if "=" in line and line[0].isupper()}


def test_the_units_start_web_engine_and_workers():
    started = {}
    for path in UNITS:
        unit = configparser.ConfigParser()
        unit.optionxform = str
        unit.read(path)
        program, *arguments = shlex.split(unit["Service"]["ExecStart"])
        started[path.stem.removeprefix("throughline-")] = [program.rpartition("/")[2], *arguments]
    assert started == EXPECTED


def test_compose_starts_the_same():
    commands = {name: shlex.split(s["command"]) for name, s in COMPOSE["services"].items() if "build" in s}
    assert commands == EXPECTED
    assert COMPOSE["services"]["worker"]["stop_signal"] == "SIGQUIT"
    assert COMPOSE["services"].keys() - EXPECTED.keys() == {"postgres", "redis"}


def test_every_command_and_variable_exists():
    assert {"up", "engine", "outbox"} <= get_commands().keys()
    assert set(COMPOSE["services"]["web"]["environment"]) <= described()
    lines = (ROOT / "deploy/systemd/throughline.env").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines if not line.startswith("#")} <= described()


def test_the_image_installs_the_pinned_packages():
    assert "--require-hashes -r requirements/base.txt" in (ROOT / "deploy/Dockerfile").read_text()
