import os
import subprocess
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

import psycopg
import pytest

from tests import run, services


@pytest.fixture
def suites(monkeypatch):
    """Map installed components to the report, and to name, markers and database per run of pytest."""

    def plan(*installed):
        runs = []
        for name in ("postgres_programs", "redis_program", "chromium_program"):
            monkeypatch.setattr(run, name, lambda name=name: Path("/usr") if name.split("_")[0] in installed else None)
        monkeypatch.setattr(run, "postgres", lambda: nullcontext("postgres://own"))
        monkeypatch.setattr(run, "redis", lambda: nullcontext("redis://own"))
        monkeypatch.setattr(
            run.Report,
            "run",
            lambda self, name, *command, **environ: runs.append((name, command[4], environ.get("DATABASE_URL"))),
        )
        report = run.Report()
        with ExitStack() as stack:
            run._suites(report, stack, {}, [])
        return report, runs

    return plan


@pytest.mark.once
def test_with_everything_installed_nothing_is_left_out(suites):
    report, runs = suites("postgres", "redis", "chromium")
    assert runs == [
        ("tests on SQLite", "not postgres and not browser", None),
        ("tests on PostgreSQL", "not once", "postgres://own"),
    ]
    assert report.lines == []


@pytest.mark.once
def test_with_nothing_installed_the_rest_runs_on_sqlite_and_each_absence_is_named(suites, monkeypatch):
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    report, runs = suites()
    assert runs == [("tests on SQLite", "not redis and not browser and not postgres", None)]
    assert [name for name, _ in report.lines] == ["Redis", "Chromium", "PostgreSQL"]
    assert "not installed, not run: tests marked redis" in str(report)
    assert not report.failed


@pytest.mark.once
def test_without_postgres_the_browser_tests_run_on_sqlite(suites):
    _, runs = suites("redis", "chromium")
    assert runs == [("tests on SQLite", "not postgres", None)]


@pytest.mark.once
def test_a_missing_component_fails_where_all_are_required(suites, monkeypatch):
    monkeypatch.setenv("REQUIRE_ALL", "1")
    report, _ = suites("postgres", "redis")
    assert report.failed
    assert "Chromium  FAILED: not installed" in str(report)


@pytest.mark.once
def test_a_failing_command_fails_the_report(capfd):
    report = run.Report()
    report.run("good", "platform")
    assert not report.failed
    report.run("bad", "no_such_module")
    assert report.failed
    assert str(report).splitlines()[1].startswith("bad   failed in")


@pytest.mark.postgres
def test_our_postgres_is_our_own_and_leaves_nothing():
    with services.postgres() as url, psycopg.connect(url) as connection:
        directory = Path(connection.info.host)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    assert not directory.exists()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.redis
@pytest.mark.once
def test_our_redis_is_our_own_and_leaves_nothing():
    with services.redis() as url:
        port = int(url.split(":")[2].split("/")[0])
        assert services._answers(port)
        assert url != os.environ.get("TEST_REDIS_URL")
    assert not services._answers(port)


@pytest.mark.once
def test_a_server_that_does_not_start_says_why(tmp_path):
    (tmp_path / "log").write_text("no space left")
    server = subprocess.Popen(["false"])
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="false did not start: no space left"):
        services._wait(server, tmp_path, lambda: False)
    assert time.monotonic() - started < 5
