"""What `manage.py up` starts beside the web: the engine's threads or, where a Redis is named, the processes.

Two engines or workers too many, after somebody killed the web process alone, do no harm: all of it may run twice.
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
    """Runs this Python with each of the argument lists, and again whenever one ends."""

    def __init__(self, *commands: tuple[str, ...]):
        self._stopping = Signal()
        self._running: dict[tuple[str, ...], subprocess.Popen] = {}
        self._threads = [Thread(target=self._keep, args=(command,), daemon=True) for command in commands]

    def start(self) -> Callable[[], None]:
        for thread in self._threads:
            thread.start()
        return self.stop

    def stop(self) -> None:
        """Ask all to stop, and end those that have not after GRACE: what they had begun comes back with its lease."""
        self._stopping.set()
        ends = time.monotonic() + GRACE
        for process in self._running.values():
            process.terminate()
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))
        for process in self._running.values():
            process.kill()

    def _keep(self, command: tuple[str, ...]) -> None:
        # REMAP_SIGTERM: Celery's own answer to SIGTERM waits for its tasks as long as they like.
        environ = os.environ | {"REMAP_SIGTERM": "SIGQUIT"}
        while not self._stopping.is_set():
            process = subprocess.Popen([sys.executable, *command], cwd=settings.BASE, env=environ)
            self._running[command] = process
            status = process.wait()
            if not self._stopping.wait(POLL):
                log.error("%s ended with status %s; it is started again.", " ".join(command[:4]), status)
