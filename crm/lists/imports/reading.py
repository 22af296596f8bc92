"""CSV reader for any encoding, separator, line end and damage, one row at a time.

A file is rejected only if none of its rows can be read; otherwise each broken row is rejected by its line.
"""

import codecs
import io
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO

from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.formulas import unescape
from crm.lists.imports.records import UNDECODED, LineReader, Row, records

MAX_BYTES = 1 << 30
MAX_ROWS = 2_000_000
MAX_COLUMNS = 500

CHUNK = 1 << 20  # bytes
DELIMITERS = (",", ";", "\t", "|")
DECLARED = re.compile(r'"?sep=([^\w"\r\n])"?[\r\n]*', re.IGNORECASE)  # Excel's declaration of a separator
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NOT_CSV = {
    b"PK\x03\x04": _("This looks like an Excel or ZIP file. Save it as CSV and try again."),
    b"\xd0\xcf\x11\xe0": _("This looks like an old Excel file. Save it as CSV and try again."),
    b"%PDF": _("This looks like a PDF. Save it as CSV and try again."),
}


class Sheet:
    """An opened CSV file: its header, and its rows, which can be read repeatedly.

    `blank`: the blank rows skipped by the last reading.
    """

    def __init__(self, file: BinaryIO):
        """Detect the format of `file`, which must be seekable. Raises Invalid with a message."""
        self._file = file
        self.blank = self._before_header = 0
        self.encoding = _encoding(file)
        declared = self._declared()
        self._before_header = len(declared)
        first = {delimiter: next(self._first(delimiter), None) for delimiter in declared or DELIMITERS}
        self.delimiter = max(first, key=lambda delimiter: _width(first[delimiter]))
        self.header = _names(first[self.delimiter])
        if len(self.header) > MAX_COLUMNS:
            sentence = gettext("The file has {count} columns. The limit is {limit}.")
            raise Invalid(sentence.format(count=formats.number(len(self.header)), limit=MAX_COLUMNS))

    def rows(self, at_most: int = MAX_ROWS) -> Generator[Row, None, None]:
        """Yield every non-blank row after the header. Raises Invalid for over `at_most` rows and a truncated file."""
        width, count, self.blank = len(self.header), 0, 0
        for row in islice(self._records(self.delimiter, width), 1, None):  # after the header
            if not row.problem and not "".join(row.cells).strip():
                self.blank += 1
                continue
            count += 1
            if count > at_most:
                sentence = gettext("This file has more than {count} rows. Split it into smaller files.")
                raise Invalid(sentence.format(count=formats.number(at_most)))
            yield row if row.problem or len(row.cells) == width else row._replace(problem=_ragged(row, width))

    def _declared(self) -> str:
        """Return the separator declared in the first line, e.g. "sep=;", or ''."""
        with self._lines() as lines:
            found = DECLARED.fullmatch(lines.take())
        return found[1] if found else ""

    def _first(self, delimiter: str) -> Iterator[Row]:
        with self._lines() as lines:
            yield from islice(records(lines, delimiter), 1)

    def _records(self, delimiter: str, width: int) -> Iterator[Row]:
        with self._lines() as lines:
            yield from islice(records(lines, delimiter), 1)
            yield from records(lines, delimiter, width)

    @contextmanager
    def _lines(self) -> Iterator[LineReader]:
        self._file.seek(0)
        errors = "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"
        text = io.TextIOWrapper(self._file, self.encoding, errors, newline="")
        try:
            lines = LineReader(text)
            for _line in range(self._before_header):
                lines.take()
            yield lines
        except UnicodeDecodeError:
            sentence = gettext("The file is incomplete. It ends in the middle of a character ({encoding}).")
            raise Invalid(sentence.format(encoding=self.encoding)) from None
        finally:
            text.detach()  # otherwise it would close the file, which the caller still reads


def _width(first: Row | None) -> int:
    return len(first.cells) if first and not first.problem else 0


def _names(first: Row | None) -> list[str]:
    if first is None:
        raise Invalid(gettext("The file is empty."))
    if first.problem:
        raise Invalid(gettext("The header row can’t be read. {problem}").format(problem=first.problem))
    return [unescape(cell.strip()) for cell in first.cells]


def _ragged(row: Row, width: int) -> str:
    count = len(row.cells)
    sentence = ngettext(
        "This row has {count} column. The header has {width}.",
        "This row has {count} columns. The header has {width}.",
        count,
    )
    return sentence.format(count=formats.number(count), width=formats.number(width))


def _encoding(file: BinaryIO) -> str:
    """Detect the encoding of the whole file: by byte order mark, by signs of UTF-16, by what decodes."""
    if file.seek(0, io.SEEK_END) > MAX_BYTES:
        sentence = gettext("This file is larger than {count} MB. Split it into smaller files.")
        raise Invalid(sentence.format(count=formats.number(MAX_BYTES >> 20)))
    file.seek(0)
    head = file.read(CHUNK)
    if sentence := next((sentence for magic, sentence in NOT_CSV.items() if head.startswith(magic)), ""):
        raise Invalid(str(sentence))
    if encoding := next((name for mark, name in BOMS.items() if head.startswith(mark)), ""):
        return encoding
    if len(head) >= 8 and not any(head[1:8:2]):
        return "utf-16-le"
    if len(head) >= 8 and not any(head[0:8:2]):
        return "utf-16-be"
    return _utf_8_or_cp1252(file, head)


def _utf_8_or_cp1252(file: BinaryIO, chunk: bytes) -> str:
    """Choose UTF-8, also with a few broken bytes, or cp1252 if most non-ASCII bytes would be broken."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    foreign = broken = 0
    while chunk:
        text = decoder.decode(chunk)
        if not text.isascii():
            broken += len(UNDECODED.findall(text))
            foreign += len(text) - len(text.encode("ascii", "ignore"))
        chunk = file.read(CHUNK)
    return "cp1252" if broken > foreign - broken else "utf-8"
