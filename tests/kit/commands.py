"""Runs of manage.py as a process of its own, with an environment of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
OURS = (
    "SECRET_KEY",
    "DEBUG",
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "REDIS_URL",
    "METRICS_TOKEN",
    "EMAIL_URL",
    "TRUSTED_PROXIES",
    "PORT",
    "HOST",
)


def environment(data_dir: Path, **values: str) -> dict[str, str]:
    """Return this process's environment with only `values` of our variables."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return kept | {"DATA_DIR": str(data_dir)} | values


def manage(data_dir: Path, *arguments: str, **values: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(data_dir, **values), capture_output=True, text=True, timeout=120
    )


@contextmanager
def up(
    data_dir: Path, port: int, log: int | IO = subprocess.PIPE, arguments: Iterable[str] = (), **values: str
) -> Iterator[subprocess.Popen]:
    """Run `manage.py up` during the block, once it responds; in a process group of its own.

    Output goes to `log`; an unread pipe would block it after some hundred lines.
    """
    env = environment(data_dir, PORT=str(port), **values)
    command = [sys.executable, "manage.py", "up", *arguments]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, text=True, start_new_session=True)
    try:
        _wait_until_it_listens(server, port)
        yield server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.communicate()


def _wait_until_it_listens(server: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("manage.py up did not listen within a minute")


def get(port: int, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Return status, body and headers (lower case) of the server on `port`, without following redirects."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments):
            return None

    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        answer = urllib.request.build_opener(Stay).open(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.headers.items()}
