"""Conversion of a row's cells to typed values."""

from collections.abc import Callable
from typing import Any

from crm.kit.errors import Invalid
from crm.lists.formulas import unescape
from crm.lists.imports.mapping import Mapping
from crm.lists.imports.records import Row
from crm.lists.imports.registry import Importer, IncomingRow

REMEMBERED = 10_000


class RowError(Exception):
    """A row can't be imported: (column, message)."""


class RowReader:
    """Reader of mapped rows, with the importer's parsers for its fields."""

    def __init__(self, mapping: Mapping, importer: Importer):
        self._plan = [(f.column, f.header, f.link, f.key, importer.parser(f)) for f in mapping.feeds]
        self._links = {feed.link for feed in mapping.feeds if feed.link}

    def read(self, row: Row) -> IncomingRow:
        """Return the values of the non-empty cells. Raises RowError for the first that cannot be parsed."""
        if row.problem:
            raise RowError("", row.problem)
        incoming = IncomingRow(row.line, row.cells, {}, {link: {} for link in self._links})
        for column, header, link, key, parse in self._plan:
            if text := row.cells[column]:
                try:
                    value = parse(unescape(text) if text[0] == "'" else text)
                except Invalid as error:
                    raise RowError(header, str(error)) from None
                if value is not None and value != "":
                    (incoming.related[link] if link else incoming.own)[key] = value
        return incoming


def remembered(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Cache `parse` by text, including Invalid errors: for columns with recurring values."""
    known: dict[str, Any] = {}

    def recall(text: str) -> Any:
        if text not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            try:
                known[text] = parse(text)
            except Invalid as error:
                known[text] = error
        if isinstance(known[text], Invalid):
            raise known[text]
        return known[text]

    return recall
