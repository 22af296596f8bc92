"""The queue of one process's writers for SQLite's single write lock."""

import threading
import time
from collections import deque


class Turn:
    """A writer's place in the queue; the first one holds the lock."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.come = threading.Event()


class FairLock:
    """First come, first served lock.

    SQLite makes a waiting writer sleep and retry, so that a loop of transactions keeps the lock for seconds;
    threading.Lock lets the same loop win too.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[Turn] = deque()

    def acquire(self, timeout: float) -> Turn:
        """Wait for the lock and return the Turn for release(). Raises TimeoutError after `timeout` seconds."""
        turn = Turn()
        with self._mutex:
            self._queue.append(turn)
            self._call_first()
        try:
            self._wait(turn, time.monotonic() + timeout)
        except BaseException:  # a signal may end the wait too: an abandoned place would block all later writers
            self.release(turn)
            raise
        return turn

    def release(self, turn: Turn) -> None:
        """Leave the queue, waiting or holding the lock; leaving twice does nothing."""
        with self._mutex:
            if turn in self._queue:
                self._queue.remove(turn)
                self._call_first()

    def _wait(self, turn: Turn, deadline: float) -> None:
        while not turn.come.wait(min(1.0, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                raise TimeoutError
            self._drop_the_dead()

    def _drop_the_dead(self) -> None:
        # A thread that died inside a transaction took its connection along; nothing else will release its turn.
        with self._mutex:
            self._queue = deque(turn for turn in self._queue if turn.thread.is_alive())
            self._call_first()

    def _call_first(self) -> None:
        if self._queue:
            self._queue[0].come.set()
