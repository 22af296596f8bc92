"""Any table, in any format and damage, is read correctly, or each damaged line is named."""

import io
import re
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crm.lists.imports.reading import DELIMITERS, Sheet
from tests.budget import examples

pytestmark = pytest.mark.once

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")
DIALECTS = st.sampled_from(list(product(DELIMITERS, ("\n", "\r\n", "\r"), (True, False), (True, False), ENCODINGS)))
TEXT = st.text(st.sampled_from("ab1éß \"'=-,;\t|\n"), max_size=5)
DAMAGE = st.sampled_from(["none", "quote", "lost quote", "surplus cell", "short", "lost separator", "NUL"])


@st.composite
def tables(draw):
    """Draw a header and rows, some of them blank.

    No line break in the first column, no separator beside one, no cell that begins or ends with either: damage can turn
    the rest of such a cell into a whole row.
    """
    width = draw(st.integers(3, 5))
    cell = TEXT.map(lambda text: re.sub("[,;\t|]", "", text) if "\n" in text else text)
    cell = cell.map(lambda text: f"x{text}x" if re.search("[,;\t|\n]", text) else text)
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=6))
    rows = [[row[0].replace("\n", ""), *row[1:]] for row in rows]
    return [[f"Column {n}" for n in range(width)], *rows]


def written(cell, delimiter, quote_all):
    if quote_all or any(sign in cell for sign in f'{delimiter}"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def damaged(cells, damage, data, delimiter):
    """Return a row's text with one defect."""
    place = data.draw(st.integers(0, len(cells) - 2))
    cell = cells[place]
    if damage == "quote" or (damage == "lost quote" and '"' not in cell):
        at = data.draw(st.integers(0, len(cell)))
        cells[place] = cell[:at] + '"' + cell[at:]
    elif damage == "lost quote":
        at = data.draw(st.sampled_from([n for n, sign in enumerate(cell) if sign == '"']))
        cells[place] = cell[:at] + cell[at + 1 :]
    elif damage == "surplus cell":
        cells.append("more")
    elif damage == "short":
        cells.pop()
        assume("".join(cells).strip('" \t\n'))  # otherwise it is a blank row
    elif damage == "lost separator":
        cells[place : place + 2] = [cells[place] + cells[place + 1]]
    elif damage == "NUL":
        cells[place] = "\0" + cell if not cell.startswith('"') else '"\0' + cell[1:]
    return delimiter.join(cells)


def looks_like_rows(cells):
    """Return whether a cell breaks the line and others contain separators: lines may then be as wide as the header."""
    return "\n" in "".join(cells) and any(sign in "".join(cells) for sign in DELIMITERS)


def named(rows):
    """Return the lines named in the rows' problems."""
    lines = set()
    for row in (row for row in rows if row.problem):
        span = re.search(r"lines ([\d,]+)–([\d,]+)", row.problem)
        first, last = (int(number.replace(",", "")) for number in span.groups()) if span else (row.line, row.line)
        lines |= set(range(first, last + 1))
    return lines


@settings(max_examples=examples(150), deadline=None)
@given(tables(), DIALECTS, DAMAGE, st.data())
def test_each_row_is_read_as_it_was_or_its_line_is_named(table, dialect, damage, data):
    delimiter, end, quote_all, declared, encoding = dialect
    hit = data.draw(st.integers(1, len(table) - 1))
    text, line, starts, lines = f"sep={delimiter}{end}" * declared, 1 + declared, {}, {}
    for n, row in enumerate(table):
        cells = [written(cell, delimiter, quote_all and n) for cell in row]
        starts[line] = row
        record = damaged(cells, damage, data, delimiter) if n == hit and damage != "none" else delimiter.join(cells)
        text += record + end
        lines[line] = range(line, line + 1 + record.count("\n"))
        line = lines[line].stop
    _header, *filled = [line for line, row in starts.items() if "".join(row).strip()]
    sheet = Sheet(io.BytesIO(text.encode(encoding)))
    assert (sheet.header, sheet.delimiter) == (table[0], delimiter)
    rows = list(sheet.rows())
    good = {row.line: row.cells for row in rows if not row.problem}
    assert {line: starts.get(line) for line in good} == good
    assert all(line in good or named(rows) & {*lines[line]} for line in filled)
    if damage == "none" and not any(map(looks_like_rows, starts.values())):
        assert not named(rows) and len(rows) + sheet.blank <= len(table) - 1
