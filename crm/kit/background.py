"""Work that a page starts and does not wait for."""

import logging
import multiprocessing
import pickle
from collections.abc import Callable

import django
from django.db import connection, transaction

from crm.kit.language import speaking_in
from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import in_workspace, workspace

log = logging.getLogger("crm.background")


def after_commit(work: Callable[[], object], name: str) -> None:
    """Call `work` in a process of its own, in the workspace in scope, once the transaction has committed.

    A thread would take turns with every request: Python runs one at a time. `work` is a partial of a module's function
    whose arguments can be pickled; what it raises is logged under `name`. The process ends with the one that started
    it: what must be finished is a row, and a scheduled job continues it.
    """
    message = pickle.dumps((workspace(), work))
    transaction.on_commit(lambda: _start(message, name))


def _start(message: bytes, name: str) -> None:
    spawn = multiprocessing.get_context("spawn")  # a fork would take open connections along
    spawn.Process(target=_run, args=(message, name), name=name, daemon=True).start()


def _run(message: bytes, name: str) -> None:
    django.setup()
    carry_out(message, name)


def carry_out(message: bytes, name: str) -> None:
    """Call the work in the workspace that were pickled together, and close the connection."""
    try:
        where, work = pickle.loads(message)  # noqa: S301  (our own)
        with in_workspace(where), speaking_in(where), uncounted_reads():
            work()
    except Exception:
        log.exception("%s stopped", name)
    finally:
        connection.close()
