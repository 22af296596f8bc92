"""A real server and a browser-like connection: what a user waits for, without the network."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import Client

from bench.measure import percentile, seconds
from crm.users.models import Membership

ROUND = 40  # requests per median


@contextmanager
def server(**environ: str) -> Iterator[int]:
    """Run the product under gunicorn on a free port with these additional environment variables; yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "bench.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--threads", "4", "--log-level", "error"]
    process = subprocess.Popen(command, env=os.environ | environ, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("The server did not start.")


class Browser:
    """A persistent connection with a member's session."""

    def __init__(self, port: int, member: Membership):
        client = Client()
        client.force_login(member.user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}", "Accept-Encoding": "gzip"}
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def get(self, path: str) -> bytes:
        """Return the body of a page. Raises RuntimeError for anything but a 200."""
        self.connection.request("GET", path, headers=self.headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}.")
        return body


def against(a: Browser, a_path: str, b: Browser, b_path: str) -> Callable[[], float]:
    """Return a measurement of one page's median over another's, with alternating requests."""

    def take() -> float:
        pairs = [(seconds(lambda: a.get(a_path)), seconds(lambda: b.get(b_path))) for _ in range(ROUND)]
        return percentile([pair[0] for pair in pairs], 0.5) / percentile([pair[1] for pair in pairs], 0.5)

    return take
