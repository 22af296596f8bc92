"""Reading CSV as people have it: any encoding, separator and line end, any damage, a row at a time.

A file is refused as a whole only where none of its rows can be understood; else each broken row is, by its line.
"""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from crm.kit.errors import Invalid
from crm.lists.formulas import unescape

MAX_BYTES = 1 << 30
MAX_ROWS = 2_000_000
MAX_COLUMNS = 500
MAX_CELL = 131_072  # characters: more are refused by the csv module itself
MAX_LINE = 1_000_000  # characters

CHUNK = 1 << 20  # bytes
DELIMITERS = (",", ";", "\t")
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NOT_CSV = {b"PK\x03\x04": "an Excel or zip file", b"\xd0\xcf\x11\xe0": "an old Excel file", b"%PDF": "a PDF"}
UNDECODED = re.compile("[\ud800-\udfff]")  # what surrogateescape makes of bytes that are no text


class Row(NamedTuple):
    """A row: the line it starts on (the header is line 1), its cells, and what is wrong with it ('' for nothing)."""

    line: int
    cells: list[str]
    problem: str = ""


class Sheet:
    """A CSV file that was opened: its header, and its rows as often as they are asked for."""

    def __init__(self, file: BinaryIO):
        """Find out how `file` (which must be able to seek) is written. Raises Invalid with a sentence."""
        self._file = file
        self.encoding = _encoding(file)
        first = {delimiter: next(self._records(delimiter), None) for delimiter in DELIMITERS}
        self.delimiter = max(first, key=lambda delimiter: len(row.cells) if (row := first[delimiter]) else 0)
        self.header = _names(first[self.delimiter])
        if len(self.header) > MAX_COLUMNS:
            raise Invalid(f"The file has {len(self.header):,} columns; at most {MAX_COLUMNS} can be read.")

    def rows(self, at_most: int = MAX_ROWS) -> Generator[Row, None, None]:
        """Every row after the header that is not blank. Raises Invalid for more rows, and for a file cut short."""
        width = len(self.header)
        for count, row in enumerate(self._records(self.delimiter)):
            if count > at_most:
                raise Invalid(f"The file has more than {at_most:,} rows: split it.")
            if count:  # after the header
                yield row if row.problem or len(row.cells) == width else row._replace(problem=_ragged(row, width))

    def _records(self, delimiter: str) -> Iterator[Row]:
        self._file.seek(0)
        errors = "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"
        text = io.TextIOWrapper(self._file, self.encoding, errors, newline="")
        try:
            yield from _parse(_Lines(text), delimiter)
        except UnicodeDecodeError:
            raise Invalid(f"The file is cut short: it ends inside a character of {self.encoding}.") from None
        finally:
            text.detach()  # or it would close the file, which others go on reading


class _Unreadable(Exception):
    """A line is not worth giving to the csv module."""


class _Lines:
    """The lines of a file, none longer than MAX_LINE, and what has been seen of the record they belong to."""

    def __init__(self, text: io.TextIOWrapper):
        self._text = text
        self.number = 0
        self.start_record()

    def start_record(self) -> None:
        """The next line begins a record."""
        self.in_quotes, self.problem = False, ""

    def __iter__(self):
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.in_quotes ^= line.count('"') % 2 == 1
        if "\0" in line:
            self.problem = "The row holds NUL characters: they are no text."
        elif not line.isascii() and UNDECODED.search(line):
            self.problem = "The row holds bytes that are no characters."
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            self._skip_line()
            raise _Unreadable(f"The line is longer than {MAX_LINE:,} characters.")
        return line

    def _skip_line(self) -> None:
        while (rest := self._text.readline(MAX_LINE)) and rest[-1] not in "\r\n":
            self.in_quotes ^= rest.count('"') % 2 == 1
        self.in_quotes ^= rest.count('"') % 2 == 1

    def skip_record(self) -> None:
        """Pass over the rest of a record that was given up: lines belong to it while a quote is open."""
        while self.in_quotes:
            try:
                next(self)
            except _Unreadable:
                continue
            except StopIteration:
                return


def _parse(lines: _Lines, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        start = lines.number + 1
        lines.start_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _Unreadable as error:
            lines.skip_record()
            yield Row(start, [], str(error))
        except csv.Error:
            lines.skip_record()
            yield Row(start, [], f"A cell holds more than {MAX_CELL:,} characters.")
        else:
            if cells:
                yield Row(start, cells, lines.problem)


def _names(first: Row | None) -> list[str]:
    if first is None:
        raise Invalid("The file is empty.")
    if first.problem:
        raise Invalid(f"The line with the column names cannot be read. {first.problem}")
    return [unescape(cell.strip()) for cell in first.cells]


def _ragged(row: Row, width: int) -> str:
    return f"The row has {len(row.cells):,} cells where the header has {width:,}."


def _encoding(file: BinaryIO) -> str:
    """How the whole file is written: by its byte order mark, by what UTF-16 looks like, by what decodes."""
    if file.seek(0, io.SEEK_END) > MAX_BYTES:
        raise Invalid(f"The file is larger than {MAX_BYTES >> 20:,} MB: split it.")
    file.seek(0)
    head = file.read(CHUNK)
    if kind := next((kind for magic, kind in NOT_CSV.items() if head.startswith(magic)), ""):
        raise Invalid(f"This is {kind}, not CSV: save it as CSV first.")
    if encoding := next((name for mark, name in BOMS.items() if head.startswith(mark)), ""):
        return encoding
    if len(head) >= 8 and not any(head[1:8:2]):
        return "utf-16-le"
    if len(head) >= 8 and not any(head[0:8:2]):
        return "utf-16-be"
    return _utf_8_or_cp1252(file, head)


def _utf_8_or_cp1252(file: BinaryIO, chunk: bytes) -> str:
    """UTF-8, also with a few bytes broken; cp1252 where most of what is not ASCII would be broken."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = broken = 0
    while chunk:
        text = decoder.decode(chunk)
        if not text.isascii():
            broken += len(UNDECODED.findall(text))
            foreign += len(text) - len(text.encode("ascii", "ignore"))
        chunk = file.read(CHUNK)
    return "cp1252" if broken > foreign - broken else "utf-8"
