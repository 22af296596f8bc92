"""Deliberately slow connections take no thread of the embedded server; oversized bodies are not read."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.kit.commands import ROOT, environment
from tests.services import free_port

pytestmark = pytest.mark.once

SLOW = 40  # connections, more than twice the threads
SERVE = """
import sys, django
django.setup()
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from crm.kit import server, transfers, worker
from crm.kit.health import healthz

worker.ARRIVAL, worker.STALLED = 3, 1
transfers._most = lambda request: 1 << 20  # as for a member

@csrf_exempt
@login_not_required
def echo(request):
    return HttpResponse(request.body)

@login_not_required
def page(request):
    return HttpResponse(b"x" * 150_000)

urlpatterns = [path("healthz", healthz), path("echo", echo), path("page", page)]
settings.ROOT_URLCONF = "__main__"
site = server.Server(f"127.0.0.1:{sys.argv[1]}", lambda: print("ready", flush=True))
site.cfg.set("worker_connections", 100)
site.run()
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """Run a server with shorter timeouts than in production; yield its port."""
    port = free_port()
    env = environment(tmp_path_factory.mktemp("server"), DJANGO_SETTINGS_MODULE="crm.settings")
    command = [sys.executable, "-c", SERVE, str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline() == "ready\n"
        yield port
        server.terminate()


def connect(port: int, first: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(first)
    return client


def answer(client: socket.socket) -> tuple[int, bytes]:
    response = http.client.HTTPResponse(client)
    response.begin()
    return response.status, response.read()


def post(length: object, *headers: str) -> bytes:
    return "\r\n".join(
        ["POST /echo HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *headers, "", ""]
    ).encode()


def healthy(port: int) -> float:
    """Return the slowest of several probes, in seconds."""
    taken = []
    for _ in range(10):
        started = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as probe:
            probe.request("GET", "/healthz")
            assert probe.getresponse().status == 200
        taken.append(time.monotonic() - started)
    return max(taken)


@pytest.mark.parametrize(
    "first",
    [b"", b"GET /healthz HTTP/1.1\r\nHost: loc", post(1000) + b"x", post(1000, "Expect: 100-continue")],
    ids=["nothing", "headers", "body", "expecting"],
)
def test_who_sends_slowly_takes_no_thread_and_is_ended(port, first):
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port, first)) for _ in range(SLOW)]
        for _ in range(3):
            assert healthy(port) < 1
            for client in clients if first else ():
                client.sendall(b"x")
        for client in clients:
            while client.recv(1000):
                pass  # until the server closes it


def test_who_reads_slowly_or_does_not_hang_up_takes_no_thread(port):
    ask = b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n"
    with ExitStack() as stack:
        for how in (b"close", b"keep-alive"):
            for _ in range(SLOW // 2):
                client = stack.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", port))
                client.sendall(ask % how)
        assert healthy(port) < 1
        last = stack.enter_context(connect(port, ask % b"close"))
        assert answer(last) == (200, b"x" * 150_000)


def test_a_body_arrives_whole_however_it_is_sent(port):
    body = b"a=" + b"x" * 500
    with connect(port) as client:
        for pieces in ([post(len(body)) + body], [post(len(body)), body[:100], body[100:]]):
            for piece in pieces:
                client.sendall(piece)
                time.sleep(0.05)
            assert answer(client) == (200, body)
        client.sendall((post(len(body)) + body) * 2)  # the second before the first is answered
        received = b""
        while received.count(body) < 2:
            received += client.recv(10_000)
    with connect(port, post(len(body), "Expect: 100-continue")) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(body)
        assert answer(client) == (200, body)
    large = b"x" * 900_000
    with connect(port, post(len(large)) + large) as client:
        assert answer(client) == (200, large)


def test_what_is_too_large_is_refused_before_it_is_sent(port):
    for first, status in (
        (post(300 << 20), 413),
        (post(300 << 20, "Expect: 100-continue"), 413),
        (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 411),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000, 431),
    ):
        with connect(port, first) as client:
            assert answer(client)[0] == status
            assert client.recv(1) == b""  # the connection was closed


def test_a_large_body_that_stops_is_ended_and_few_may_send_one_at_once(port):
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port, post(900_000) + b"x" * 1000)) for _ in range(SLOW)]
        assert healthy(port) < 1
        refused = [answer(client)[0] for client in clients]
    assert refused.count(503) >= SLOW - 6
    assert set(refused) <= {503, 400}


def test_more_connections_than_there_may_be_keep_nobody_out(port):
    with ExitStack() as stack:
        for _ in range(150):  # over this server's limit of 100
            stack.enter_context(connect(port, b"GET / HTTP/1.1\r\nHo"))
        assert healthy(port) < 1
