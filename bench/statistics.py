"""Cost of missing statistics: steps on a fresh database, and on a copy analyzed before each, without autovacuum."""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management import call_command
from django.db import connection

from audit.models import Entry
from audit.undo.undo import undo
from bench.imports import people
from bench.measure import Ratio
from contacts.models import Contact
from contacts.verbs.capture import capture
from contacts.verbs.qualify import qualify
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.lifecycle.models import Guard
from crm.users.models import Workspace
from crm.users.verbs.create_workspace import create_workspace

SLUG = "fresh"
CAPTURED = 200
# Every step runs once, in this order, on both; each starts from the previous one's result.
STEPS = ("qualify", "capture", "recalculate", "migrate", "export", "undo")


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratio 13: the step that suffers most."""
    name = f"{size:,} rows imported, the slowest of {len(STEPS)} steps / the same, analyzed"
    yield Ratio("13", name, 1.5, lambda: _worst(size), rounds=1)


def figures() -> Iterator[str]:
    for step, (bare, analyzed) in _taken.items():
        yield f"{step:12} {bare:6.1f} s, analyzed {analyzed:6.1f} s"


_taken: dict[str, tuple[float, float]] = {}


def _worst(size: int) -> float:
    """Return the worst step's slowdown. Measured once: its steps cannot be repeated."""
    if not _taken:
        _taken.update(_by_step(size))
    return max(bare / analyzed for bare, analyzed in _taken.values())


def _by_step(size: int) -> dict[str, tuple[float, float]]:
    _execute("ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()", "CREATE DATABASE bare")
    with tempfile.TemporaryDirectory() as directory:
        _files(Path(directory), size)
        _run("fill", "bare", directory)
        _execute("CREATE DATABASE analyzed TEMPLATE bare")
        taken = {step: (_run(step, "bare", directory), _analyzed(step, directory)) for step in STEPS}
    _execute("DROP DATABASE bare", "DROP DATABASE analyzed", "ALTER SYSTEM RESET autovacuum", "SELECT pg_reload_conf()")
    return taken


def _files(directory: Path, size: int) -> None:
    (directory / "people.csv").write_text(people(size), encoding="utf-8")
    old = (f"old-{n},Old {n},old.{n}@firm{n // 20}.example,Firm {n // 20},new" for n in range(size // 10))
    (directory / "leads.csv").write_text("\n".join(["External ID,Name,E-mail,Company,Status", *old]), encoding="utf-8")


def _analyzed(step: str, directory: str) -> float:
    _run("analyze", "analyzed", directory)
    return _run(step, "analyzed", directory)


def _run(step: str, database: str, directory: str) -> float:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    command = [sys.executable, "-m", "bench.step", step, directory]
    done = subprocess.run(
        command, env=os.environ | {"DATABASE_URL": url}, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout.split()[-1])


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def step(name: str, directory: Path) -> Callable[[], object]:
    """Return the action of a step on the files of `directory`, in this process's database."""
    return {
        "fill": lambda: _fill(directory),
        "analyze": lambda: _execute("ANALYZE"),
        "qualify": _qualify,
        "capture": _capture,
        "recalculate": lambda: _command("recalculate_scores", full=True),
        "migrate": lambda: _command("migrate_leads", commit=True),
        "export": lambda: _command("export_contacts", output=str(directory / "out.csv")),
        "undo": _undo,
    }[name]


def _command(name: str, *arguments: str, **options) -> None:
    call_command(name, *arguments, workspace=SLUG, stdout=io.StringIO(), **options)


def _fill(directory: Path) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    workspace = create_workspace(SLUG, by=system(0))[0]
    with in_workspace(workspace):
        Guard.objects.update(is_active=False)  # so that all records move
    _command("import_contacts", str(directory / "people.csv"))
    _command("import_legacy_leads", str(directory / "leads.csv"))


def _inside(act: Callable) -> None:
    workspace = Workspace.objects.get(slug=SLUG)
    with in_workspace(workspace):
        act(system(workspace.pk))


def _qualify() -> None:
    _inside(lambda by: qualify(Contact.objects.filter(lifecycle_stage="lead"), by=by).or_raise())


def _capture() -> None:
    for n in range(CAPTURED):
        _inside(lambda by, n=n: capture([{"name": f"New {n}", "email": f"new.{n}@x.example"}], by=by, source="web"))


def _undo() -> None:
    def last_qualified(by) -> None:
        undo(Entry.objects.filter(event="contact.qualified").latest("id").change, by=by)

    _inside(last_qualified)
