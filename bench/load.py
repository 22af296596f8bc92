"""Impact of a few clients on all others: the most expensive requests, and slow or oversized connections.

Against `manage.py up` as in production, on both engines: response times of /healthz and another member's save.
"""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from urllib.parse import urlencode

import psycopg

from bench.measure import Ratio, percentile
from bench.waiting import CONTACT, Person
from contacts.management.commands.load_demo import PASSWORD
from tests.services import free_port

ROUNDS, SECONDS = 3, 15.0
IN_A_COMPANY = 300
SLOW, SENDERS, BODY = 20, 10, 300 << 20
PEOPLE = f"""
from crm.kit.actor import Role, system
from crm.kit.scope import in_workspace
from crm.users.models import User
from crm.users.verbs.add_member import add_member
from crm.users.verbs.create_workspace import create_workspace
acme, by = create_workspace("acme", by=system(0))
with in_workspace(acme):
    for name in ("viewer", "rep", "mate", "manager"):
        user = User.objects.create_user(f"{{name}}@acme.example", {PASSWORD!r}, name=name)
        add_member(user, role=Role(name.replace("mate", "rep")), by=by)
"""
NEST = "any {}company.contacts (any company.contacts (notes contains zq or not (email contains a and title = b)))"
OF_CONTACTS, OF_LEADS = f"not ({NEST.format('')})", f"not ({NEST.format('contact.')})"
MANY = " or ".join(f"any company.contacts (notes contains z{n})" for n in range(10))
DEAREST = (
    f"/contact?{urlencode({'view': 'all', 'where': OF_CONTACTS, 'sort': 'manager'})}",
    f"/contact/count?{urlencode({'view': 'all', 'where': MANY})}",
    f"/contact/export?{urlencode({'view': 'all', 'where': OF_CONTACTS})}",
    f"/dashboard?{urlencode({'parts': 'all', 'where': OF_CONTACTS})}",
    f"/dashboard/part/funnel?{urlencode({'split': 'contact.role', 'where': OF_LEADS})}",
    f"/qualification/board?{urlencode({'view': 'all', 'where': OF_LEADS})}",
    f"/contact?{urlencode({'view': 'all', 'q': 'a e i o u r s t n zq'})}",
    f"/contact/options?{urlencode({'entity': 'contact', 'q': 'a e i o u r s t n zq'})}",
)
STARTS = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: local",
    b"POST /unsubscribe/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n",
)


def ratios(size: int) -> Iterator[Ratio]:
    """Yield ratio 14 on each engine, with a tenth of `size` people, 300 to a company."""
    for engine, environ in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        with tempfile.TemporaryDirectory(prefix="throughline-") as directory:
            values = environ() | {"DATA_DIR": directory, "SECRET_KEY": secrets.token_urlsafe(50), "DEBUG": "0"}
            with _serving(values | {"TRUSTED_PROXIES": "1"}, size // 10) as port:
                for number, what, attack in (("14", "dearest requests", _ask), ("14b", "slow or large bodies", _send)):
                    taken = [_take(port, attack, f"{engine}, {what}") for _ in range(ROUNDS + 1)]
                    for place, who, target in ((0, "/healthz", 1.0), (1, "a save", 0.2)):
                        values_of = iter([waits[place] for waits in taken])
                        name = f"{engine}, {what}: {who} p99, s"
                        yield Ratio(number, name, target, values_of.__next__, rounds=ROUNDS)


LOG = subprocess.DEVNULL
told: list[str] = []


def figures() -> Iterator[str]:
    """Yield each measurement, and the responses to the attacking requests."""
    yield from told


def _sqlite() -> dict[str, str]:
    return {"DATABASE_URL": ""}


def _postgres() -> dict[str, str]:
    return {"DATABASE_URL": database("load")}


def database(name: str) -> str:
    """Create a database on the server of the other measurements; return its URL."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.replace("/postgres?", f"/{name}?")


@contextmanager
def _serving(environ: dict[str, str], people: int) -> Iterator[int]:
    """Run the product with data on a free port; yield the port."""
    port = free_port()
    environ = os.environ | environ | {"PORT": str(port)}
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write("Name,E-mail,Company,Lead source\n")
        file.writelines(f"Person {n},p{n}@x.example,Company {n // IN_A_COMPANY},web\n" for n in range(people))
        file.flush()
        for command in (["migrate"], ["shell", "-c", PEOPLE], ["import_contacts", file.name, "--workspace", "acme"]):
            subprocess.run([sys.executable, "manage.py", *command], env=environ, check=True, capture_output=True)
    server = subprocess.Popen([sys.executable, "manage.py", "up"], env=environ, stdout=LOG, stderr=LOG)
    try:
        _wait(port)
        yield port
    finally:
        server.terminate()
        server.wait(60)


def _wait(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError("The server did not start.")


def _member(name: str, port: int) -> Person:
    """Return that member, as behind an HTTPS proxy."""
    proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1", "Referer": f"https://127.0.0.1:{port}/"}
    return Person(port, f"{name}@acme.example", proxy)


Attack = Callable[[int, threading.Event, Counter], list[threading.Thread]]


def _take(port: int, attack: Attack, name: str) -> tuple[float, float]:
    """Return the 99th percentiles of /healthz and of a save, in seconds, during `attack`."""
    manager, over, answers = _member("manager", port), threading.Event(), Counter[object]()
    threads = attack(port, over, answers)
    probes, saves = list[float](), list[float]()
    probing = threading.Thread(target=_probe, args=(port, over, probes))
    for thread in (*threads, probing):
        thread.start()
    end = time.monotonic() + SECONDS
    url = CONTACT.findall(manager.get("/contact?view=all"))[0] + "/field/title"
    while time.monotonic() < end:
        form = manager.form(url) | {"title": secrets.token_hex(4)}
        saves.append(_timed(partial(manager.post, url, form)))
    over.set()
    for thread in (*threads, probing):
        thread.join()
    told.append(f"{name}: {_spread('/healthz', probes)}; {_spread('save', saves)}; answers {dict(answers)}")
    return percentile(probes, 0.99), percentile(saves, 0.99)


def _spread(what: str, taken: list[float]) -> str:
    shares = " ".join(f"{percentile(taken, share):.3f}" for share in (0.5, 0.99, 1.0))
    return f"{what} p50 p99 max {shares} s of {len(taken)}"


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _probe(port: int, over: threading.Event, taken: list[float]) -> None:
    while not over.wait(0.02):
        taken.append(_timed(lambda: _health(port)))


def _health(port: int) -> None:
    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    probe.request("GET", "/healthz")
    if probe.getresponse().status != 200:
        raise RuntimeError("/healthz is not well.")
    probe.close()


def _ask(port: int, over: threading.Event, answers: Counter) -> list[threading.Thread]:
    """Start the most expensive requests by three members, each repeated when answered (or after Retry-After)."""
    members = [_member(name, port) for name in ("viewer", "rep", "mate")]
    return [
        threading.Thread(target=_repeat, args=(members[n % 3].headers(), port, path, over, answers))
        for n, path in enumerate(DEAREST)
    ]


def _repeat(headers: dict[str, str], port: int, path: str, over: threading.Event, answers: Counter) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    while not over.is_set():
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        answers[response.status] += 1
        connection.close()  # the next request reconnects: the server closes an idle connection
        over.wait(float(response.headers.get("Retry-After", 0)))


def _send(port: int, over: threading.Event, answers: Counter) -> list[threading.Thread]:
    """Start slow anonymous connections, half of them mid-headers, and bodies of 300 MB."""
    threads = [threading.Thread(target=_drip, args=(port, STARTS[n % 2], over, answers)) for n in range(SLOW)]
    return threads + [threading.Thread(target=_pour, args=(port, over, answers)) for _ in range(SENDERS)]


def _drip(port: int, start: bytes, over: threading.Event, answers: Counter) -> None:
    while not over.is_set():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(start)
            while not over.wait(1):
                client.sendall(b"x")
        answers["slow"] += 1


def _pour(port: int, over: threading.Event, answers: Counter) -> None:
    head = f"POST /csp-report HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nContent-Length: {BODY}\r\n\r\n"
    while not over.wait(0.1):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            with suppress(OSError):
                client.sendall(head.encode())
                for _ in range(BODY >> 20):
                    client.sendall(b"x" * (1 << 20))
            with suppress(OSError):
                answers[client.recv(20).split()[1].decode()] += 1
