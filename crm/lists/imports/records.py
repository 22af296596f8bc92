"""CSV records by the strict rules of RFC 4180, and where to resume after a line that breaks them.

Lenient readers take a stray quotation mark for the start of a cell and swallow every row up to the next one.

Why: docs/decisions/0041-csv-is-read-strictly.md
"""

import io
import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from crm.kit import formats
from crm.kit.translation import gettext as _

MAX_CELL = 131_072  # characters
MAX_RECORD = MAX_LINE = 1_000_000  # characters
LEAST_FOR_SUSPICION = 3  # columns: a line of a quoted cell often has one comma

OVERLONG = f"\0Longer than {MAX_LINE}"  # stands for a line that was too long; compared by identity  # not a text
UNDECODED = re.compile("[\ud800-\udfff]")  # surrogateescape's output for undecodable bytes


class Row(NamedTuple):
    """A row: its first line (the header is line 1), its cells, and its problem, or ''."""

    line: int
    cells: list[str]
    problem: str = ""


class LineReader:
    """The lines of a text, capped at MAX_LINE, with push-back."""

    def __init__(self, text: io.TextIOWrapper):
        self._text = text
        self._ahead: deque[str] = deque()
        self.number = 0

    def take(self) -> str:
        """Return the next line, OVERLONG for one that is too long, '' at the end."""
        line = self._ahead.popleft() if self._ahead else self._read()
        self.number += bool(line)
        return line

    def _read(self) -> str:
        line = self._text.readline(MAX_LINE)
        if len(line) < MAX_LINE or line[-1] in "\r\n":
            return line
        while (rest := self._text.readline(MAX_LINE)) and rest[-1] not in "\r\n":
            pass
        return OVERLONG

    def put_back(self, lines: list[str]) -> None:
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)


class _Record(NamedTuple):
    """Lines that may form one record; its cells are None if its quotation marks do not match."""

    lines: list[str]
    cells: list[str] | None

    @property
    def text(self) -> str:
        return "".join(self.lines)


def records(lines: LineReader, delimiter: str, width: int = 0) -> Iterator[Row]:
    """Yield every non-empty row; rows with a problem may lack cells. `width`: 0 for the header.

    A malformed record is rejected as the span of lines up to the next row of `width` cells.
    """
    while line := lines.take():
        start = lines.number
        if line is OVERLONG:
            yield Row(start, [], _overlong())
        elif '"' not in line:
            if line.strip("\r\n"):
                yield _fit(start, line, line.rstrip("\r\n").split(delimiter))
        else:
            record = _record(line, lines, delimiter)
            if record.cells is not None and (len(record.lines) == 1 or _credible(record, delimiter, width)):
                yield _fit(start, record.text, record.cells)
            else:
                lines.put_back(record.lines[1:])
                yield _broken_span(start, record.lines[0], lines, delimiter, width)


def _record(line: str, lines: LineReader, delimiter: str) -> _Record:
    """Return the record that begins with `line`: an odd number of quotation marks leaves a cell open."""
    taken, length, is_open = [line], len(line), line.count('"') % 2
    while is_open:
        line = lines.take()
        if not line or line is OVERLONG or length > MAX_RECORD:
            lines.put_back([line] if line else [])
            return _Record(taken, None)
        taken.append(line)
        length += len(line)
        is_open ^= line.count('"') % 2
    return _Record(taken, _cells("".join(taken).rstrip("\r\n"), delimiter))


def _cells(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of a record, None if a quotation mark is misplaced."""
    cells, at, cell = [], 0, _cell(delimiter)
    while found := cell.match(text, at):
        quoted, plain, end = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if not end:
            return cells
        at = found.end()
    return None


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    """Return the pattern of a quoted cell, with optional spaces around it, or a plain one, and its end."""
    end = re.escape(delimiter)
    return re.compile(rf'(?: *"([^"]*(?:""[^"]*)*)" *|([^"{end}\r\n]*))({end}|\Z)')


def _credible(record: _Record, delimiter: str, width: int) -> bool:
    """Return whether several lines are one record, and not rows between two stray quotation marks."""
    if not width:
        return True
    looks_like_rows = all(line.count(delimiter) == width - 1 for line in record.lines)
    return len(record.cells or ()) == width and not (looks_like_rows and width >= LEAST_FOR_SUSPICION)


def _broken_span(start: int, first: str, lines: LineReader, delimiter: str, width: int) -> Row:
    span = [first]
    while width and (line := lines.take()):
        record = _record(line, lines, delimiter) if line is not OVERLONG else _Record([line], None)
        lines.put_back(record.lines[1:])
        if (
            record.cells is not None
            and len(record.cells) == width
            and (len(record.lines) == 1 or _credible(record, delimiter, width))
        ):
            lines.put_back([line])
            break
        span.append(line)
    return Row(start, ["".join(span)[:MAX_CELL]], _unmatched(start, start + len(span) - 1))


def _overlong() -> str:
    return _("The line is longer than {count} characters.").format(count=formats.number(MAX_LINE))


def _unmatched(first: int, last: int) -> str:
    if first == last:
        sentence = _(
            "The quotation marks in line {first} don’t match. "
            "Put the whole cell in quotation marks and double each one inside it."
        )
    else:
        sentence = _(
            "The quotation marks in lines {first}–{last} don’t match. "
            "Put the whole cell in quotation marks and double each one inside it."
        )
    return sentence.format(first=formats.number(first), last=formats.number(last))


def _fit(line: int, text: str, cells: list[str]) -> Row:
    """Return the row, with a problem if a database could not store it."""
    if len(text) > MAX_CELL and any(len(cell) > MAX_CELL for cell in cells):
        sentence = _("A cell can have up to {count} characters.")
        return Row(line, [], sentence.format(count=formats.number(MAX_CELL)))
    problem = ""
    if "\0" in text:
        problem = _("The row contains NUL characters. Remove them.")
    elif not text.isascii() and UNDECODED.search(text):
        problem = _("The row contains bytes that aren’t valid characters.")
    return Row(line, cells, problem)
