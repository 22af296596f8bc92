"""Rows of a file that repeat an earlier one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from crm.kit import formats
from crm.kit.translation import gettext as _
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.imports.scratch import Scratch


class RowMatch(Protocol):
    """A row and what it was matched to."""

    row: IncomingRow


M = TypeVar("M", bound=RowMatch)


def without_repeats(
    matches: Sequence[M], keys: Callable[[M], Iterable[str]], scratch: Scratch, refused: Refused
) -> list[M]:
    """Return those of which no earlier row of the file has a key; reject the others with the line of the first."""
    again = scratch.repeats({match.row.line: keys(match) for match in matches})
    sentence = _("Duplicate of row {row}.")
    refused |= {line: ("", sentence.format(row=formats.number(earlier))) for line, earlier in again.items()}
    return [match for match in matches if match.row.line not in again]
