"""The parts that `manage.py up` starts with the web server: engine threads or, if Redis is configured, processes.

Surplus engines or workers, left after a kill of the web process alone, are harmless: all parts may run twice.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event as Signal
from threading import Thread

from django.conf import settings

from crm.events.engine import GRACE, POLL, Engine
from crm.events.handlers import QUEUES

ENGINE = ("-m", "django", "engine")
WORKER = ("-m", "celery", "-A", "crm", "worker", "--queues", ",".join(QUEUES), "--loglevel", "warning")

log = logging.getLogger("crm.events")


def start_processes() -> Callable[[], None]:
    return Processes(ENGINE, WORKER).start() if settings.CELERY_BROKER_URL else Engine().start()


class Processes:
    """Subprocesses of this Python, one per argument list, restarted when they exit."""

    def __init__(self, *commands: tuple[str, ...]):
        self._stopping = Signal()
        self._running: dict[tuple[str, ...], subprocess.Popen] = {}
        self._threads = [Thread(target=self._keep, args=(command,), daemon=True) for command in commands]

    def start(self) -> Callable[[], None]:
        for thread in self._threads:
            thread.start()
        return self.stop

    def stop(self) -> None:
        """Terminate all, and kill those still running after GRACE: their work is retried when its lease expires."""
        self._stopping.set()
        ends = time.monotonic() + GRACE
        for process in self._running.values():
            process.terminate()
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        for process in self._running.values():
            process.kill()

    def _keep(self, command: tuple[str, ...]) -> None:
        # REMAP_SIGTERM: Celery's default on SIGTERM waits for its tasks indefinitely.
        environ = os.environ | {"REMAP_SIGTERM": "SIGQUIT"}
        while not self._stopping.is_set():
            process = subprocess.Popen([sys.executable, *command], cwd=settings.BASE, env=environ)
            self._running[command] = process
            status = process.wait()
            if not self._stopping.wait(POLL):
                log.error("%s ended with status %s; it is started again.", " ".join(command[:4]), status)
