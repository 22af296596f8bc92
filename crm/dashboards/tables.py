"""What every part of a dashboard is made of: tables, whose numbers open lists. Page, print, file and mail show them.

Why: docs/decisions/0032-charts-are-tables.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _


@dataclass(frozen=True)
class Cell:
    """What stands in a table: `text` to read, the list that it counts, and its `value` for files.

    `summed`: the field whose sum over the list the value is; '' where it is their number.
    """

    text: str
    url: str = ""
    value: Any = None
    summed: str = ""
    note: str = ""  # beside it, in small: the change against the period before

    @property
    def raw(self) -> Any:
        return self.text if self.value is None else self.value


@dataclass(frozen=True)
class BarRow:
    """A line: what it is about, its bar (a share of the longest, 0 to 100) in a tone, and its cells."""

    label: Cell
    cells: Sequence[Cell]
    bar: float | None = None
    tone: str = "blue"


@dataclass(frozen=True)
class Table:
    """Rows below headings, the first of which is that of the labels. `bars`: each row is drawn as one, too."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[BarRow]
    bars: bool = False
    empty: str = _("No data for this period.")
    note: str = ""


@dataclass(frozen=True)
class Layer:
    """One value of an axis over time: the outline of its area, and what it is called."""

    label: str
    tone: str
    points: str


@dataclass(frozen=True)
class Area:
    """A stacked area chart of 1000 × 240, described in words for who does not see it."""

    layers: Sequence[Layer]
    ticks: Sequence[tuple[float, str]]
    words: str


@dataclass(frozen=True)
class Content:
    """What a part shows: its tables, a chart above them if it has one, and sentences above and below."""

    tables: Sequence[Table]
    sub: str = ""
    area: Area | None = None
    note: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the dashboard: `make(asked)` asks its figures. `width`: of the twelve columns of a wide page."""

    name: str
    title: str
    make: Callable[..., Content]
    width: int = 6
    for_managers: bool = False


_parts: Registry[Part] = Registry("part of a dashboard")  # not a text


def register(part: Part) -> None:
    """Show a part, behind those before it."""
    _parts.add(part.name, part)


def all_parts() -> list[Part]:
    """Every part, in the order in which they are shown to who has chosen none."""
    return list(_parts)


def barred(rows: Sequence[tuple[Cell, Sequence[Cell], float, str]]) -> list[BarRow]:
    """Rows with their bars, from (label, cells, value, tone)."""
    most = max((value for _, _, value, _ in rows), default=0) or 1
    return [BarRow(label, cells, round(100 * value / most, 2), tone) for label, cells, value, tone in rows]
