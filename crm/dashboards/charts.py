"""Charts drawn on the server: coordinates in an SVG of 1000 × 240, for templates. A table below has the numbers."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from crm.dashboards.tables import Area, Layer
from crm.kit import formats
from crm.kit.translation import gettext as _

WIDTH, HEIGHT = 1000, 240
TICKS = 4


def stacked(values: Sequence[tuple[str, str, Sequence[int]]], days: Sequence[date]) -> Area:
    """Return stacked areas from (label, tone, counts), bottom first, without empty ones."""
    drawn = [value for value in values if any(value[2])]
    most = max([sum(column) for column in zip(*(counts for *_, counts in drawn), strict=True)], default=0) or 1
    floors = [[0] * len(days)]
    for *_rest, counts in drawn:
        floors.append([below + count for below, count in zip(floors[-1], counts, strict=True)])
    layers = [
        Layer(label, tone, f"{_edge(top, most)} {_edge(low, most, backwards=True)}")
        for (label, tone, _counts), (low, top) in zip(drawn, pairwise(floors), strict=True)
    ]
    ticks = [(x, formats.day_of_year(days[n])) for n, x in _places(len(days))]
    words = [_("{label} from {first} to {last}").format(label=label, **_ends(counts)) for label, _tone, counts in drawn]
    return Area(layers, ticks, ", ".join(words) or _("No data"))


def _ends(counts: Sequence[int]) -> dict[str, str]:
    return {"first": formats.number(counts[0]), "last": formats.number(counts[-1])}


def _edge(heights: Sequence[int], most: int, *, backwards: bool = False) -> str:
    step = WIDTH / max(len(heights) - 1, 1)
    places = [f"{n * step:.1f},{HEIGHT - height / most * HEIGHT:.1f}" for n, height in enumerate(heights)]
    return " ".join(reversed(places) if backwards else places)


def _places(count: int) -> list[tuple[int, float]]:
    chosen = sorted({round(n * (count - 1) / TICKS) for n in range(TICKS + 1)})
    return [(n, round(n * WIDTH / max(count - 1, 1), 1)) for n in chosen]
