"""Background work started by a page."""

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
    """Run `work` in a process of its own, in the workspace in scope, after the transaction commits.

    A thread would compete with requests for Python's lock. `work` is a partial of a module-level function with
    picklable arguments; its errors are logged under `name`. The process ends with its parent: work that must finish is
    a row that a scheduled job continues.
    """
    message = pickle.dumps((workspace(), work))
    transaction.on_commit(lambda: _start(message, name))


def _start(message: bytes, name: str) -> None:
    spawn = multiprocessing.get_context("spawn")  # a fork would inherit open connections
    spawn.Process(target=_run, args=(message, name), name=name, daemon=True).start()


def _run(message: bytes, name: str) -> None:
    django.setup()
    carry_out(message, name)


def carry_out(message: bytes, name: str) -> None:
    """Run the pickled work in its pickled workspace, then close the connection."""
    try:
        where, work = pickle.loads(message)  # noqa: S301  (our own)
        with in_workspace(where), speaking_in(where), uncounted_reads():
            work()
    except Exception:
        log.exception("%s stopped", name)
    finally:
        connection.close()
