"""Archiving a stage of 10,000 opportunities, and undoing it: against a plain UPDATE, and as people wait for it."""

import re
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from django.db import connection
from django.db.models import F
from django.utils import timezone

from bench.data import deals, place
from bench.http import server
from bench.load import database
from bench.measure import Ratio, percentile, seconds
from bench.waiting import Person, manage, use
from contacts.management.commands.load_demo import PASSWORD
from contacts.verbs.create import create
from crm.kit.actor import Role, system
from crm.kit.scope import in_workspace
from crm.lists.undo_runs import begin, finish
from crm.opportunities.models import Opportunity, PipelineStage
from crm.opportunities.verbs.archive_stage import archive_stage
from crm.users.models import User
from crm.users.verbs.add_member import add_member
from crm.users.verbs.create_workspace import create_workspace

COUNT, ROUNDS, IDLE = 10_000, 3, 3.0
STAGE, OTHER = "proposal", "negotiation"
UNDO = re.compile(r'action="(/undo/[0-9a-f-]{36})"')
LINES = (
    ("archiving a stage of 10,000 by its page, s", 5),
    ("its undo by the button, until the last is back, s", 60),
    ("another person’s save meanwhile, p95 / idle p95", 4),
    ("the longest of these saves, ms", 1_000),
)


def ratios(size: int) -> Iterator[Ratio]:
    """Yield the cost per row, then the waits of the admin and of another member; always with 10,000 opportunities."""
    for name, take, target in (("archiving", _archive, 4), ("undo of archiving", _undo, 15)):
        yield Ratio("O1", f"{name} a stage of {COUNT:,} / plain UPDATE", target, take, rounds=ROUNDS)
    for engine, url in (("SQLite", ""), ("PostgreSQL", "retiring")):
        with tempfile.TemporaryDirectory(prefix="throughline-") as directory:
            environ = {"DATA_DIR": directory, "DATABASE_URL": url and database(url)}
            environ["SECRET_KEY"] = secrets.token_urlsafe(50)
            manage(environ, "migrate")
            manage(environ, "collectstatic", "--noinput")
            manage(environ, "shell", "-c", "from bench.retiring import fill; fill()")
            with server(**environ) as port:
                taken = [_by_page(port) for _ in range(ROUNDS + 1)]
            for number, (what, target) in enumerate(LINES):
                values = iter([waits[number] for waits in taken])
                yield Ratio("O2", f"{engine}: {what}", target, values.__next__, rounds=ROUNDS)


def _archive() -> float:
    return _pair()[0]


def _undo() -> float:
    return _pair()[1]


def _pair() -> tuple[float, float]:
    """Return the time of archiving, and of the undo, over that of an UPDATE of the same columns."""
    here = place("retiring", COUNT)
    with in_workspace(here.workspace):
        if not Opportunity.objects.exists():
            deals([PipelineStage.objects.get(key=STAGE)])
        by = replace(here.manager.actor("web"), role=Role.ADMIN)
        archiving = seconds(lambda: archive_stage(PipelineStage.objects.get(key=STAGE), to=OTHER, by=by))
        undoing = seconds(lambda: finish(begin(by.change, by=here.manager.actor("web"))))
        plain = seconds(lambda: Opportunity.objects.update(**_moved(OTHER)))
        Opportunity.objects.update(**_moved(STAGE))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM opportunities_opportunity")
    return archiving / plain, undoing / plain


def _moved(to: str) -> dict:
    now, stage = timezone.now(), PipelineStage.objects.get(key=to)
    facts = {"stage": to, "stage_since": now, "updated_at": now, "version": F("version") + 1}
    return facts | {"stage_kind": stage.kind, "probability": stage.probability}


def fill() -> None:
    """Create a workspace with an admin and a manager, and 10,000 opportunities at one stage."""
    workspace, by = create_workspace("acme", by=system(0))
    with in_workspace(workspace):
        for name in ("admin", "manager"):
            user = User.objects.create_user(f"{name}@acme.example", PASSWORD, name=name)
            add_member(user, role=Role(name), by=by)
        create([{"name": f"Person {n}", "owner": None} for n in range(COUNT)], by=by)
        deals([PipelineStage.objects.get(key=STAGE)])


def _by_page(port: int) -> tuple[float, float, float, float]:
    """Archive and undo by the buttons while the manager saves; return the figures of LINES."""
    saves, quiet, over = list[float](), threading.Event(), threading.Event()
    manager = Person(port)
    threading.Timer(IDLE, quiet.set).start()
    idle, _lists = use(manager, quiet)
    admin = Person(port, "admin@acme.example")  # the server closes idle connections
    saving = threading.Thread(target=lambda: saves.extend(use(manager, over)[0]))
    saving.start()
    try:
        archiving = seconds(partial(_press_archive, admin))
        undoing = seconds(partial(_press_undo, admin))
    finally:
        over.set()
        saving.join()
    return archiving, undoing, percentile(saves, 0.95) / percentile(idle, 0.95), max(saves)


def _press_archive(admin: Person) -> None:
    admin.post(f"/settings/pipelines/sales/{STAGE}/archive/", {"to": OTHER})


def _press_undo(admin: Person) -> None:
    page = admin.get("/settings/pipelines/sales/")
    [url] = UNDO.findall(page)
    progress = admin.post(url, admin.form("/settings/pipelines/sales/"))
    while "Undo finished" not in admin.get(progress):
        time.sleep(0.1)
