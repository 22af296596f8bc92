"""Cell parsers for contact files: equal to the forms', but fast enough for a million rows."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from audit.values import model_field
from contacts.address_fields import ADDED
from contacts.axes import LIFECYCLE
from contacts.models import Contact
from crm.entities.fields import Field, FieldType
from crm.entities.values import instant
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.addresses import LONGEST_PHONE
from crm.kit.errors import Invalid
from crm.kit.text import email_key, normalize_line
from crm.kit.translation import gettext as _
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import MappedColumn
from crm.records.validation import NORMAL, clean

LONGEST_NAME = 254  # a company or manager, who may be given by email
LONGEST_ADDRESS = 254
# Addresses that are certainly valid: a subset of validate_email(), which takes ten times as long.
USUAL_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]{1,63}\.)+[A-Za-z]{2,63}")
PLAIN = {FieldType.TEXT, FieldType.PHONE}
Parser = Callable[[str], Any]


def parser(feed: MappedColumn, by: Actor) -> Parser:
    """Return a column's parser: to the stored value, or to text resolved per batch."""
    field, entity = feed.path.field, feed.link or "contact"
    if feed.path.key in ("created_at", LIFECYCLE.since):
        return remembered(past)
    if feed.path.key in ("company", "manager"):
        return plain(field, LONGEST_NAME)
    if field.type is FieldType.EMAIL:
        return _address(field, by)
    if entity == "contact" and field.type in PLAIN and not field.custom and field.key not in NORMAL:
        return plain(field, LONGEST_PHONE if field.key in ADDED else model_field(Contact, field.key).max_length or 0)
    if field.type is FieldType.LONG_TEXT:
        return lambda text: clean(entity, field, text, by)
    return remembered(lambda text: clean(entity, field, text, by))


def plain(field: Field, longest: int) -> Parser:
    """Return a parser for text of up to `longest` characters."""

    def read(text: str) -> str:
        text = normalize_line(text)
        if len(text) > longest:
            raise Invalid(_too_long(field, longest))
        return text

    return read


def _too_long(field: Field, longest: int) -> str:
    sentence = _("{field} can’t be longer than {count} characters.")
    return sentence.format(field=field.label, count=formats.number(longest))


def _address(field: Field, by: Actor) -> Parser:
    def address(text: str) -> str:
        if len(text) <= LONGEST_ADDRESS and USUAL_ADDRESS.fullmatch(text):
            return text
        value = clean("contact", field, text, by)
        if len(email_key(value)) > LONGEST_ADDRESS:  # folding doubles some letters
            raise Invalid(_too_long(field, LONGEST_ADDRESS))
        return value

    return address


def past(text: str) -> datetime | None:
    """Parse a past time. Raises Invalid for others."""
    if not text.strip():
        return None
    try:
        moment = instant(text.strip())
    except ValueError as error:
        raise Invalid(str(error)) from None
    if moment > clock.now():
        raise Invalid(_("“{text}” is in the future.").format(text=text.strip()))
    return moment
