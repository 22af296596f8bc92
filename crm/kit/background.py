"""Work that a page starts and does not wait for."""

import logging
from collections.abc import Callable
from threading import Thread

from django.db import connection, transaction

from crm.kit.present import housekeeping
from crm.kit.scope import in_workspace, workspace

log = logging.getLogger("crm.background")


def after_commit(work: Callable[[], object], name: str) -> None:
    """Call `work` in a thread, in the workspace in scope, once the transaction has committed.

    The thread ends with its process, and what `work` raises is logged: what must be finished is a row, and a scheduled
    job continues it. `name` is what the log calls the work.
    """
    where = workspace()

    def run() -> None:
        try:
            with in_workspace(where), housekeeping():
                work()
        except Exception:
            log.exception("%s stopped", name)
        finally:
            connection.close()

    transaction.on_commit(lambda: Thread(target=run, name=name, daemon=True).start())
