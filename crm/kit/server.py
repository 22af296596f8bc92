"""The embedded web server: gunicorn with one threaded worker, and the services in that process.

Why: docs/decisions/0065-one-process-until-you-need-more.md
"""

import signal
from collections.abc import Callable

from django.core.servers.basehttp import get_internal_wsgi_application
from gunicorn.app.base import BaseApplication

from crm.kit.worker import Worker

# More than expensive requests and transfers can occupy together (crm.kit.timelimit, crm.kit.transfers): 4 + 5, 3 + 2.
THREADS = 18
GRACE = 15  # seconds that requests may take to finish after a stop signal

# Services beside the web threads. Each function starts one and returns its stop function, which must return within
# GRACE. They are called in the worker: a thread started before the fork would not exist there.
beside_the_web: list[Callable[[], Callable[[], None]]] = []


class Server(BaseApplication):
    """Server of the site on `address` (host:port) until SIGTERM or Ctrl-C; run() ends with SystemExit."""

    def __init__(self, address: str, on_ready: Callable[[], None]):
        self.address = address
        self.on_ready = on_ready
        self.stops: list[Callable[[], None]] = []
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": self.address,
            "workers": 1,
            "worker_class": Worker,
            "threads": THREADS,
            "worker_connections": 500,  # each is an open file, and a process usually has 1,024
            "graceful_timeout": GRACE,
            "keepalive": 5,
            "loglevel": "warning",
            "forwarded_allow_ips": "",  # TRUSTED_PROXIES decides who may set X-Forwarded-…
            "control_socket_disable": True,
            "when_ready": self._when_ready,
            "post_worker_init": self._start,
            "worker_exit": self._stop,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self):
        return get_internal_wsgi_application()

    def _when_ready(self, arbiter) -> None:
        # gunicorn takes SIGINT as "drop all requests"; users mean "stop" by Ctrl-C.
        signal.signal(signal.SIGINT, lambda number, frame: arbiter.signal(signal.SIGTERM, frame))
        self.on_ready()

    def _start(self, worker) -> None:
        self.stops = [start() for start in beside_the_web]

    def _stop(self, arbiter, worker) -> None:
        for stop in reversed(self.stops):
            stop()
