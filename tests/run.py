"""`make test`: lint, types, migrations, then the whole suite on every installed engine.

SQLite is always available. PostgreSQL, Redis and Chromium are started for this run if installed, and otherwise reported
as not run; REQUIRE_ALL=1 makes that a failure. Arguments are passed to pytest.
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
WORKERS = str(min((os.cpu_count() or 1) + 1, 4))  # at any time one waits for a process or a browser


@dataclass
class Report:
    """What was run, with result and time; what was not run, and why."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    failed: bool = False

    def run(self, name: str, *command: str, **environ: str) -> None:
        """Run a command with this Python and note its result."""
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        status = subprocess.run([*PYTHON, *command], env=os.environ | environ).returncode
        self.failed |= status != 0
        self.lines.append((name, f"{'failed' if status else 'passed'} in {time.monotonic() - started:.0f} s"))

    def missing(self, name: str, tests: str) -> None:
        """Note a missing component, and the tests not run."""
        required = os.environ.get("REQUIRE_ALL") == "1"
        self.failed |= required
        self.lines.append((name, f"{'FAILED: ' if required else ''}not installed, not run: {tests}"))

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.lines)
        return "\n".join(f"{name:{width}}  {result}" for name, result in self.lines)


def main(arguments: list[str]) -> int:
    """Run everything; return 0 if nothing failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # lets the servers be stopped
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
    # Browser tests are slow: they run once, on the production engine if installed.
    elsewhere = ["postgres", "browser"] if with_postgres else ["postgres"]
    _pytest(report, "tests on SQLite", [*absent, *elsewhere], arguments, environ)
    if not with_postgres:
        report.missing("PostgreSQL", "the suite on it, tests marked postgres")
        return
    # As in production, but with Redis down: no page or write may be affected.
    production = {"DATABASE_URL": stack.enter_context(postgres()), "REDIS_URL": STOPPED_REDIS}
    _pytest(report, "tests on PostgreSQL", [*absent, "once"], arguments, environ | production)


def _pytest(report: Report, name: str, without: list[str], arguments: list[str], environ: dict[str, str]) -> None:
    chosen = " and ".join(f"not {marker}" for marker in dict.fromkeys(without))
    report.run(name, "pytest", "-n", WORKERS, "-m", chosen, *arguments, **environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
