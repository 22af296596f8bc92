"""How the cells of a file of contacts are read: as the forms read them, made quick for a million rows."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from contacts.fields import NORMAL, clean, storage_key
from contacts.models import Company, Contact
from crm.entities.fields import Field, FieldType
from crm.entities.values import instant
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.text import email_key
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import Feed
from crm.lists.imports.reading import MAX_CELL

MODELS = {"": Contact, "company": Company}
LONGEST_ADDRESS = 254
# Addresses that need no closer look, which takes ten times as long: a part of what validate_email() accepts.
USUAL_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]{1,63}\.)+[A-Za-z]{2,63}")
PLAIN = {FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PHONE}


def parser(feed: Feed, by: Actor) -> Callable[[str], Any]:
    """How the cells of a column are read: to what is stored, or to text that is resolved with its whole batch."""
    field = feed.path.field
    if feed.path.key == "created_at":
        return remembered(_past)
    if feed.path.key in ("company", "manager"):
        return text_of(field, 254)
    longest = _longest(MODELS[feed.link], field) if feed.link in MODELS else 0
    if field.custom or field.key in NORMAL or field.type not in PLAIN | {FieldType.EMAIL}:
        return remembered(_limited(lambda text: clean(field, text, by), field, longest))
    if field.type is FieldType.EMAIL:
        return _address(field, by)
    return text_of(field, longest)


def text_of(field: Field, longest: int) -> Callable[[str], str]:
    """Text without spaces around it, of at most `longest` characters (0: any number)."""
    longest = longest or MAX_CELL

    def plain(text: str) -> str:
        text = text.strip()
        if len(text) > longest:
            raise Invalid(f"{field.label} is longer than {longest:,} characters.")
        return text

    return plain


def _limited(parse: Callable[[str], Any], field: Field, longest: int) -> Callable[[str], Any]:
    """What the database would refuse with the whole batch is refused with its row."""
    if not longest:
        return parse

    def limited(text: str) -> Any:
        value = parse(text)
        if isinstance(value, str) and len(value) > longest:
            raise Invalid(f"{field.label} is longer than {longest:,} characters.")
        return value

    return limited


def _longest(model: type[Company | Contact], field: Field) -> int:
    if field.custom or storage_key(field) not in {column.name for column in model._meta.concrete_fields}:
        return 0
    return model._meta.get_field(field.key).max_length or 0


def _address(field: Field, by: Actor) -> Callable[[str], Any]:
    checked = _limited(lambda text: clean(field, text, by), field, LONGEST_ADDRESS)

    def address(text: str) -> Any:
        if USUAL_ADDRESS.fullmatch(text) and len(text) <= LONGEST_ADDRESS:
            return text
        value = checked(text)
        if value and len(email_key(value)) > LONGEST_ADDRESS:
            raise Invalid(f"{field.label} is longer than {LONGEST_ADDRESS} characters.")
        return value

    return address


def _past(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = instant(text.strip())
    except ValueError as error:
        raise Invalid(str(error)) from None
    if moment > clock.now():
        raise Invalid(f"“{text.strip()}” lies in the future.")
    return moment
