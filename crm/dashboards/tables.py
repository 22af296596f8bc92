"""Tables, the content of every card, with numbers that open lists; shown on page, print, file and email.

Why: docs/decisions/0032-charts-are-tables.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _


@dataclass(frozen=True)
class Cell:
    """A table cell: `text` to read, the list it counts, and its `value` for files.

    `summed`: the field whose sum over the list is the value; '' if it is their number.
    """

    text: str
    url: str = ""
    value: Any = None
    summed: str = ""
    note: str = ""  # in small type beside it: the change vs. the prior period

    @property
    def raw(self) -> Any:
        return self.text if self.value is None else self.value


@dataclass(frozen=True)
class BarRow:
    """A row: its label, its bar (percent of the longest, 0 to 100) in a tone, and its cells."""

    label: Cell
    cells: Sequence[Cell]
    bar: float | None = None
    tone: str = "blue"


@dataclass(frozen=True)
class Table:
    """Rows with headings, the first for the labels. `bars`: rows have bars."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[BarRow]
    bars: bool = False
    empty: str = _("No data for this period.")
    note: str = ""


@dataclass(frozen=True)
class Layer:
    """One value of an axis over time: area outline and label."""

    label: str
    tone: str
    points: str


@dataclass(frozen=True)
class Area:
    """A stacked area chart of 1000 × 240, with a text description."""

    layers: Sequence[Layer]
    ticks: Sequence[tuple[float, str]]
    words: str


@dataclass(frozen=True)
class Content:
    """A card's content: tables, an optional chart above, and notes above and below."""

    tables: Sequence[Table]
    sub: str = ""
    area: Area | None = None
    note: str = ""


@dataclass(frozen=True)
class Part:
    """A dashboard card: `make(asked)` computes its content. `width`: of twelve columns."""

    name: str
    title: str
    make: Callable[..., Content]
    width: int = 6
    for_managers: bool = False


_parts: Registry[Part] = Registry("part of a dashboard")  # not a text


def register(part: Part) -> None:
    """Add a card after the others."""
    _parts.add(part.name, part)


def all_parts() -> list[Part]:
    return list(_parts.values())


def barred(rows: Sequence[tuple[Cell, Sequence[Cell], float, str]]) -> list[BarRow]:
    """Return rows with bars, from (label, cells, value, tone)."""
    most = max((value for _, _, value, _ in rows), default=0) or 1
    return [BarRow(label, cells, round(100 * value / most, 2), tone) for label, cells, value, tone in rows]
