"""`make test`: lint, types, migrations, then the whole suite on every engine that is installed.

SQLite is always there. PostgreSQL, Redis and Chromium are started for this run alone where they are installed, and
named as not run where they are not; REQUIRE_ALL=1 makes a missing one a failure. Arguments are handed to pytest.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.services import chromium_program, postgres, postgres_programs, redis, redis_program

TEMPLATES = ("--tabwidth", "2", "templates", "tests/frame/templates")  # as in the Makefile
PYTHON = (sys.executable, "-m")
OTHERS = (
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "EMAIL_URL",
    "REDIS_URL",
    "METRICS_TOKEN",
    "WEBHOOK_NETWORKS",
    "TRUSTED_PROXIES",
    "HOST",
    "PORT",
)
STOPPED_REDIS = "redis://127.0.0.1:1/0"
WORKERS = str(min((os.cpu_count() or 1) + 1, 4))  # one waits for a process or a browser at any time


@dataclass
class Report:
    """What was run, how it ended and how long it took; what was not run, and why."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    failed: bool = False

    def run(self, name: str, *command: str, **environ: str) -> None:
        """Run a command of this Python's and note how it ended."""
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        status = subprocess.run([*PYTHON, *command], env=os.environ | environ).returncode
        self.failed |= status != 0
        self.lines.append((name, f"{'failed' if status else 'passed'} in {time.monotonic() - started:.0f} s"))

    def missing(self, name: str, tests: str) -> None:
        """Note that a component is not installed, and which tests were therefore not run."""
        required = os.environ.get("REQUIRE_ALL") == "1"
        self.failed |= required
        self.lines.append((name, f"{'FAILED: ' if required else ''}not installed, not run: {tests}"))

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.lines)
        return "\n".join(f"{name:{width}}  {result}" for name, result in self.lines)


def main(arguments: list[str]) -> int:
    """Run everything; the exit status is 0 when nothing failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # let the servers be stopped
    report = Report()
    with ExitStack() as stack:
        environ = {"DEBUG": "1", "DATA_DIR": stack.enter_context(tempfile.TemporaryDirectory(prefix="throughline-"))}
        environ |= dict.fromkeys(OTHERS, "")
        report.run("ruff check", "ruff", "check", "--no-cache", "--quiet")
        report.run("ruff format", "ruff", "format", "--check", "--quiet")
        report.run("templates", "djhtml", "--check", *TEMPLATES)
        report.run("mypy", "mypy", "--no-error-summary")
        report.run("migrations", "manage", "makemigrations", "--check", "--dry-run", **environ)
        _suites(report, stack, environ, arguments)
    print(f"\n{report}")
    return 1 if report.failed else 0


def _suites(report: Report, stack: ExitStack, environ: dict[str, str], arguments: list[str]) -> None:
    absent = []
    if redis_program():
        environ["TEST_REDIS_URL"] = stack.enter_context(redis())
    else:
        absent.append("redis")
        report.missing("Redis", "tests marked redis")
    if not chromium_program():
        absent.append("browser")
        report.missing("Chromium", "tests marked browser")
    with_postgres = postgres_programs() is not None
    # Browser tests are dear: they run once, on the engine of production where that is installed.
    elsewhere = ["postgres", "browser"] if with_postgres else ["postgres"]
    _pytest(report, "tests on SQLite", [*absent, *elsewhere], arguments, environ)
    if not with_postgres:
        report.missing("PostgreSQL", "the suite on it, tests marked postgres")
        return
    # As in production, but for a Redis that has stopped: no page may notice, nor any write.
    production = {"DATABASE_URL": stack.enter_context(postgres()), "REDIS_URL": STOPPED_REDIS}
    _pytest(report, "tests on PostgreSQL", [*absent, "once"], arguments, environ | production)


def _pytest(report: Report, name: str, without: list[str], arguments: list[str], environ: dict[str, str]) -> None:
    chosen = " and ".join(f"not {marker}" for marker in dict.fromkeys(without))
    report.run(name, "pytest", "-n", WORKERS, "-m", chosen, *arguments, **environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
