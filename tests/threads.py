"""Concurrent calls."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from django.db import connection

from crm.kit.scope import in_workspace


def at_once(workspace, functions: list[Callable[[], Any]]) -> tuple[list[Any], list[Exception]]:
    """Run the functions concurrently, each in a thread with `workspace` in scope; return results and exceptions."""
    start, results, errors = Barrier(len(functions)), [], []

    def run(function: Callable[[], Any]) -> None:
        try:
            with in_workspace(workspace):
                start.wait()
                results.append(function())
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results, errors
