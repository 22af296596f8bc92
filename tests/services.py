"""PostgreSQL, Redis and Chromium for tests and benchmarks: disposable instances of our own.

Never an already running server. Each function finds or runs a program.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_TIMEOUT = 30  # seconds
# Nothing outlives the run, so nothing needs to reach the disk.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def postgres_programs() -> Path | None:
    """Return the directory of the newest PostgreSQL's initdb and postgres, or None."""
    found = [Path(link).resolve().parent for link in [shutil.which("initdb")] if link]
    found += Path("/usr/lib/postgresql").glob("*/bin")
    usable = [path for path in found if (path / "initdb").exists() and (path / "postgres").exists()]
    return max(usable, key=_version, default=None)


def _version(programs: Path) -> float:
    answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return float(answer.split()[2])


def redis_program() -> str | None:
    return shutil.which("redis-server")


def chromium_program() -> str | None:
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


@contextmanager
def postgres(*settings: str) -> Iterator[str]:
    """Run a PostgreSQL of our own on a socket in a new directory; yield its DATABASE_URL.

    `settings` are further name=value; by default the server loses data in a crash.
    """
    programs = postgres_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed.")
    with _directory() as (directory, user):
        data = directory / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "throughline", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        _run(initdb, user)
        options = ("listen_addresses=", f"unix_socket_directories={directory}", "max_connections=100", *FORGETFUL)
        flags = [part for option in (*options, *settings) for part in ("-c", option)]
        with _process([programs / "postgres", "-D", data, *flags], user, directory, stop=signal.SIGINT) as server:
            url = f"postgres://throughline@/postgres?host={directory}"
            _wait(server, directory, lambda: _connects(url))
            yield url


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def redis(port: int = 0) -> Iterator[str]:
    """Run a Redis of our own on the given or a free port; yield its REDIS_URL."""
    program = redis_program()
    if program is None:
        raise RuntimeError("Redis is not installed.")
    port = port or free_port()
    with _directory() as (directory, user):
        flags = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory]
        with _process([program, *flags], user, directory, stop=signal.SIGTERM) as server:
            _wait(server, directory, lambda: _answers(port))
            yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def _directory() -> Iterator[tuple[Path, str | None]]:
    """Yield a new directory and the user to run a server as: PostgreSQL refuses root."""
    user = _servant() if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="throughline-"))
    try:
        if user:
            shutil.chown(directory, user)
        yield directory, user
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _servant() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(command: list, user: str | None) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


@contextmanager
def _process(command: list, user: str | None, directory: Path, stop: signal.Signals) -> Iterator[subprocess.Popen]:
    # A session of its own: we forward Ctrl-C after the tests have released the server.
    with (directory / "log").open("w") as log:
        server = subprocess.Popen(
            command, user=user, cwd=directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        yield server
    finally:
        server.send_signal(stop)
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen, directory: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{server.args[0]} did not start: {(directory / 'log').read_text().strip()}")
        time.sleep(0.05)
