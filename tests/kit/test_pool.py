"""Concurrent expensive requests: limits in total, per person, and on waiting ones."""

import threading
from contextlib import ExitStack

import pytest

from crm.kit.errors import Busy
from crm.kit.pool import FairSemaphore

pytestmark = pytest.mark.once


def pool(**changes) -> FairSemaphore:
    return FairSemaphore(**{"size": 3, "queue": 2, "patience": 0.05} | changes)


def test_one_person_leaves_turns_to_others():
    turns = pool()
    with ExitStack() as stack:
        for who in ("ann", "ann", "ben"):
            stack.enter_context(turns.turn(who))
        for who in ("ann", "cem"):
            with pytest.raises(Busy), turns.turn(who):
                pass
    for _ in range(3):  # each was released, also after a failed wait
        with turns.turn("ann"), turns.turn("ann"):
            pass


def test_a_turn_is_given_back_after_an_error():
    turns = pool(size=1, queue=0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.turn("ann"):
            1 / 0  # noqa: B018


def test_who_waits_gets_the_next_turn_and_only_so_many_wait():
    turns, done = pool(size=1, patience=20), []
    waiting = [threading.Thread(target=_take, args=(turns, who, done)) for who in ("ben", "cem")]
    with turns.turn("ann"):
        for thread in waiting:
            thread.start()
        while turns._waiting.total() < 2:
            threading.Event().wait(0.001)
        with pytest.raises(Busy), turns.turn("dov"):
            pass
        assert done == []
    for thread in waiting:
        thread.join()
    assert sorted(done) == ["ben", "cem"]


def _take(turns: FairSemaphore, who: str, done: list) -> None:
    with turns.turn(who):
        done.append(who)
