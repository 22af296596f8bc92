"""The engine as a process, and its supervision."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from crm.events.processes import Processes
from tests.events.test_engine import eventually
from tests.kit.commands import ROOT, environment, get, up
from tests.services import free_port
from tests.template import create_database

pytestmark = pytest.mark.once
DEPLOYED = {"SECRET_KEY": "k3-" * 20}  # without demo data


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_engine_command_works_until_it_is_told_to_stop(tmp_path, number):
    create_database(f"sqlite:///{tmp_path}/throughline.sqlite3")
    engine = subprocess.Popen([sys.executable, "manage.py", "engine"], cwd=ROOT, env=environment(tmp_path))
    try:
        assert eventually(lambda: "relay" in beats(tmp_path), 60)
        engine.send_signal(number)
        assert engine.wait(timeout=20) == 0
    finally:
        engine.kill()


def beats(directory) -> set[str]:
    with sqlite3.connect(directory / "throughline.sqlite3") as database:
        return {part for (part,) in database.execute("SELECT part FROM events_heartbeat")}


def test_a_process_that_ends_is_started_again(tmp_path, caplog):
    log = tmp_path / "pids"
    code = f"import os, time; print(os.getpid(), file=open({str(log)!r}, 'a')); time.sleep(60)"
    stop = Processes(("-c", code)).start()
    try:
        assert eventually(lambda: log.exists() and log.read_text().strip())
        os.kill(int(log.read_text()), signal.SIGKILL)
        assert eventually(lambda: len(log.read_text().splitlines()) == 2)
    finally:
        stop()
    assert "ended with status -9; it is started again." in caplog.text
    time.sleep(0.1)
    for pid in map(int, log.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def ready(port: int) -> tuple[int, str]:
    """Return /readyz's response; (0, "") without a server, or from the socket with which `up` probes the port."""
    try:
        status, said, _ = get(port, "/readyz")
    except OSError:
        return 0, ""
    return status, said.split(";")[0].strip()


def test_up_is_ready_with_its_engine_and_not_without(tmp_path):
    port = free_port()
    with (tmp_path / "log").open("w") as log:
        create_database(f"sqlite:///{tmp_path}/throughline.sqlite3")
        with up(tmp_path, port, log, ["--web-only"], **DEPLOYED):
            assert eventually(lambda: ready(port) == (503, "engine: no heartbeat from relay, scheduler"))
        with up(tmp_path, port, log, **DEPLOYED):
            assert eventually(lambda: ready(port) == (200, "ready"))
