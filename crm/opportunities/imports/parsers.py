"""Cell parsers for opportunity files."""

from collections.abc import Callable
from typing import Any

from contacts.imports.parsers import LONGEST_NAME, past, plain
from crm.entities.values import parse_value
from crm.kit.actor import Actor
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import MappedColumn
from crm.records.validation import clean

MOMENTS = {"created_at", "won_at", "lost_at"}
NAMED = {"contact", "company"}  # resolved per batch
NEVER_TWICE = {"name", "external_id", "next_step", "lost_reason"}


def parser(feed: MappedColumn, by: Actor) -> Callable[[str], Any]:
    """Return a column's parser: to the stored value, or to text resolved per batch."""
    field, entity = feed.path.field, feed.link or "opportunity"
    if not feed.link and field.key in MOMENTS:
        return remembered(past)
    if not feed.link and field.key in NAMED:
        return plain(field, LONGEST_NAME)
    if not feed.link and field.key in ("pipeline", "stage"):
        return remembered(lambda text: parse_value(field, text))

    def read(text: str) -> Any:
        return clean(entity, field, text.strip(), by)

    return read if field.key in NEVER_TWICE else remembered(read)
