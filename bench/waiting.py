"""Users' waits on SQLite while a job writes: a form save and a list over HTTP.

An import runs from the page, in the serving process, and by the command, in a process of its own; then all its leads
are scored from EVENTS each. An import is undone in the background of the serving process.
"""

import http.client
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from bench.http import server
from bench.imports import people
from bench.measure import Ratio, percentile
from contacts.management.commands.load_demo import PASSWORD

ROUNDS = 3
IDLE = 5.0  # seconds of reading the list before each import
EVENTS = 5  # per lead that is rescored
IN_A_REQUEST = 15_000  # rows; the page allows 20,000
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
COLUMN = re.compile(r'<select name="(column_\d+)".*?<option value="([^"]+)" selected', re.DOTALL)
CONTACT = re.compile(r'href="(/contact/contact_[A-Za-z0-9]{9})"')


def ratios(size: int) -> Iterator[Ratio]:
    """Yield three imports each way, of 30 rows per 100 contacts of other parts, and three recalculations."""
    with tempfile.TemporaryDirectory(prefix="throughline-") as directory:
        environ = {"DATA_DIR": directory, "DATABASE_URL": "", "SECRET_KEY": secrets.token_urlsafe(50)}
        for command in ("migrate", "load_demo --in-production", "collectstatic --noinput"):
            manage(environ, *command.split())
        firsts = count(0, size)
        with server(**environ) as port:
            for name, run in JOBS.items():
                if run is _recalculate:
                    _engage(Path(directory))
                targets = UNDO if run is _undo else LINES
                job = _Job(name, run, port, environ, size * 3 // 10)
                taken = [_take(job, next(firsts)) for _ in range(ROUNDS + 1)]
                for number, what, target in targets:
                    values = iter([wait[number] for wait in taken])
                    yield Ratio(f"S{number + 2}", f"{what}, {name}", target, values.__next__, rounds=ROUNDS)


LINES = (
    (0, "SQLite: form save p95, ms", 50),
    (1, "SQLite: form save p99, ms", 60),
    (2, "SQLite: list p99 above idle, ms", 20),
)


UNDO = (LINES[0], (1, "SQLite: form save p99, ms", 50), LINES[2])
told: list[str] = []


def figures() -> Iterator[str]:
    """Yield every measurement, including idle ones, to judge targets on a busy machine."""
    yield from told


def _figures(name: str, saves: list[float]) -> str:
    values = " ".join(f"{percentile(saves, share):8.1f}" for share in (0.5, 0.95, 0.99, 1.0))
    return f"{name:46} {values}   ms, form save p50, p95, p99, max"


class Waits(NamedTuple):
    """One import's waits in ms: 95th and 99th percentile of a hundred saves, and 99th of lists minus the idle one."""

    save_95: float
    save_99: float
    list_99: float


class _Job(NamedTuple):
    """A background job and its number of people; a recalculation takes all leads."""

    name: str
    run: "Callable[[_Job, int], None]"
    port: int
    environ: dict[str, str]
    rows: int


def _take(job: _Job, first: int) -> Waits:
    if job.run is _undo:
        _by_command(job, first)
    person, quiet, over = Person(job.port), threading.Event(), threading.Event()
    threading.Timer(IDLE, quiet.set).start()
    idle_saves, idle = use(person, quiet)
    told.append(_figures("idle", idle_saves))
    writer = threading.Thread(target=_until_over, args=(job, first, over))
    started = time.perf_counter()
    writer.start()
    saves, lists = use(person, over)
    writer.join()
    told.append(_figures(f"{job.name}, {time.perf_counter() - started:,.0f} s", saves))
    return Waits(percentile(saves, 0.95), percentile(saves, 0.99), percentile(lists, 0.99) - percentile(idle, 0.99))


def _until_over(job: _Job, first: int, over: threading.Event) -> None:
    try:
        job.run(job, first)
    finally:
        over.set()


def _files(job: _Job, first: int) -> Iterator[Path]:
    """Yield files with the job's people, as many per file as the page allows."""
    with tempfile.TemporaryDirectory() as directory:
        for start in range(first, first + job.rows, IN_A_REQUEST):
            file = Path(directory) / "people.csv"
            file.write_text(people(min(IN_A_REQUEST, first + job.rows - start), start), encoding="utf-8")
            yield file


def _by_page(job: _Job, first: int) -> None:
    person = Person(job.port)
    for file in _files(job, first):
        url = person.post("/contact/import", {}, file)
        columns = dict(COLUMN.findall(person.get(url)))
        person.post(url, columns | {"on_match": "update", "do": "import"})


def _by_command(job: _Job, first: int) -> None:
    for file in _files(job, first):
        manage(job.environ, "import_contacts", str(file), "--workspace", "acme")


def _engage(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "throughline.sqlite3")) as database, database:
        database.execute(EVENT_ROWS, [EVENTS])
        told.append(f"{database.execute('SELECT count(*) FROM contacts_engagementevent').fetchone()[0]:,} events")


def _recalculate(job: _Job, first: int) -> None:
    manage(job.environ, "recalculate_scores", "--workspace", "acme", "--full")


def _undo(job: _Job, first: int) -> None:
    """Undo the newest import by its button, and wait until its page reports the end."""
    with closing(sqlite3.connect(Path(job.environ["DATA_DIR"]) / "throughline.sqlite3")) as database:
        sql = "SELECT change FROM lists_importrun WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1"
        change = database.execute(sql).fetchone()[0]
    person = Person(job.port)
    page = person.post(f"/undo/{UUID(change)}", person.form("/contact/import"))
    while "Undo finished" not in person.get(page):
        time.sleep(0.5)


EVENT_ROWS = """
    INSERT INTO contacts_engagementevent (workspace_id, contact_id, kind, occurred_at, recorded_at, change)
    WITH numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    SELECT workspace_id, contact_id, iif((contact_id + n) % 2, 'email_opened', 'page_viewed'),
        datetime('now', (-(contact_id * 131 + n * 7919) % 7776000) || ' seconds'), datetime('now'),
        lower(hex(randomblob(16)))
    FROM leads_lead, numbers WHERE deleted_at IS NULL
    ON CONFLICT DO NOTHING
"""
JOBS: "dict[str, Callable[[_Job, int], None]]" = {
    "import by the page": _by_page,
    "import by the command": _by_command,
    "undo of an import": _undo,
    "recalculation": _recalculate,
}


def manage(environ: dict[str, str], *command: str) -> None:
    subprocess.run([sys.executable, "manage.py", *command], env=os.environ | environ, check=True, capture_output=True)


def use(person: "Person", over: threading.Event) -> tuple[list[float], list[float]]:
    """Save a field and read the list repeatedly; return the durations in milliseconds."""
    url = CONTACT.findall(person.get("/contact?view=all"))[0] + "/field/title"
    saves, lists = [], []
    while not over.wait(0.01):
        form = person.form(url) | {"title": secrets.token_hex(4)}
        saves.append(_timed(lambda: person.post(url, form)))  # noqa: B023  (called at once)
        lists.append(_timed(lambda: person.get("/contact?view=all")))
    return saves, lists


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started)


class Person:
    """A signed-in demo manager, or another user with that password, with a persistent connection.

    `proxy`: headers that a proxy before the server adds.
    """

    def __init__(self, port: int, email: str = "manager@acme.example", proxy: Mapping[str, str] = MappingProxyType({})):
        self.connection, self.proxy = http.client.HTTPConnection("127.0.0.1", port), proxy
        self.cookies: dict[str, str] = {}
        self.post("/accounts/login/", {"login": email, "password": PASSWORD})

    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **self.proxy}

    def form(self, url: str) -> dict[str, str]:
        """Return a page's hidden inputs."""
        return dict(HIDDEN.findall(self.get(url)))

    def get(self, url: str) -> str:
        """Return a page. Raises RuntimeError for anything but a 200."""
        return self._ask("GET", url, (200,))[1]

    def post(self, url: str, fields: dict[str, str], file: Path | None = None) -> str:
        """Submit a page's form with `fields`; return the redirect's target."""
        fields = fields if "csrfmiddlewaretoken" in fields else self.form(url) | fields
        if file is None:
            return self._ask("POST", url, (302,), urlencode(fields), "application/x-www-form-urlencoded")[0]
        parts = [
            f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{v}\r\n' for name, v in fields.items()
        ]
        head = '--part\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\n'
        body = f"{''.join(parts)}{head}{file.read_text(encoding='utf-8')}\r\n--part--\r\n"
        return self._ask("POST", url, (302,), body, "multipart/form-data; boundary=part")[0]

    def _ask(self, method: str, url: str, wanted: tuple[int, ...], body: str = "", kind: str = "") -> tuple[str, str]:
        headers = self.headers() | ({"Content-Type": kind} if kind else {})
        self.connection.request(method, url, body.encode(), headers)
        answer = self.connection.getresponse()
        page = answer.read().decode()
        if answer.status not in wanted:
            raise RuntimeError(f"{method} {url} answered {answer.status}: {page[:2000]}")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.headers.get("Location", ""), page
