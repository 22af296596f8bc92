"""Score charts drawn on the server: coordinates in an SVG of 1000 × 200, for templates."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 1000, 200
TOP = 1000  # the highest possible score, in tenths


class Line(NamedTuple):
    """A line over days: its points, the area below it, and each threshold's height by name."""

    points: str
    area: str
    rules: Sequence[tuple[str, float]]


class Bar(NamedTuple):
    """A pair of histogram bars, current and projected: positions, sizes and counts."""

    label: str
    x: float
    new_x: float
    width: float
    old_y: float
    old_height: float
    new_y: float
    new_height: float
    old: int
    new: int


def line(tenths: Sequence[int], thresholds: Sequence[tuple[str, int]]) -> Line:
    step = WIDTH / (len(tenths) - 1)
    places = [f"{day * step:.1f},{_y(value):.1f}" for day, value in enumerate(tenths)]
    area = f"0,{HEIGHT} {' '.join(places)} {WIDTH},{HEIGHT}"
    return Line(" ".join(places), area, [(label, _y(value)) for label, value in thresholds])


def _y(tenths: int) -> float:
    return HEIGHT - tenths / TOP * HEIGHT


def histogram(old: Sequence[int], new: Sequence[int], width: int) -> list[Bar]:
    """Return two distributions over classes of `width` points, side by side."""
    most, step = max((1, *old, *new)), WIDTH / len(old)
    return [_bar(index, counts, most, step, width) for index, counts in enumerate(zip(old, new, strict=True))]


def _bar(place: int, counts: tuple[int, int], most: int, step: float, width: int) -> Bar:
    was, would = (round(count / most * HEIGHT, 1) for count in counts)
    x, wide = round(place * step, 1), round(step * 0.42, 1)
    label = f"{place * width}–{place * width + width - 1}"
    return Bar(label, x, round(x + wide, 1), wide, HEIGHT - was, was, HEIGHT - would, would, *counts)
