"""Meaningful ratios: both sides alternate (A B A B …), and the spread is shown.

Absolute figures drift by half within a minute on a shared machine; ratios of neighboring runs don't.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 9


@dataclass(frozen=True)
class Ratio:
    """A row of the table: a number against a bound, measured several times.

    `take()` returns one measurement (a ratio, or a count); `target` is the bound and `at_most` its side.
    """

    number: str
    name: str
    target: float
    take: Callable[[], float]
    at_most: bool = True
    rounds: int = ROUNDS

    def holds(self, value: float) -> bool:
        return value <= self.target if self.at_most else value >= self.target


def seconds(action: Callable[[], object], times: int = 1) -> float:
    """Return the seconds of one run of `action`, the mean over `times`."""
    started = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - started) / times


def compare(a: Callable[[], object], b: Callable[[], object], times: int = 1) -> Callable[[], float]:
    """Return a measurement for Ratio.take: the time of `a` over that of `b`, run in succession."""
    return lambda: seconds(a, times) / seconds(b, times)


def percentile(values: list[float], share: float) -> float:
    """Return the smallest of `values` that `share` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered)) - 1))]


HEAD = f"{'#':>3} | {'ratio':62} | {'measured (median, range)':26} | {'target':>8} | holds"


def line(ratio: Ratio) -> tuple[str, bool]:
    """Measure after a warm-up round. Return the table row, and whether the median meets the target."""
    ratio.take()
    values = [ratio.take() for _ in range(ratio.rounds)]
    median = statistics.median(values)
    measured = f"{median:.2f} ({min(values):.2f}–{max(values):.2f})"
    bound = f"{'≤' if ratio.at_most else '≥'} {ratio.target:g}"
    holds = ratio.holds(median)
    return f"{ratio.number:>3} | {ratio.name:62} | {measured:26} | {bound:>8} | {'yes' if holds else 'NO'}", holds
