"""Conversion of values: from text to Python, and between Python and JSON."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.dateparse import parse_date, parse_datetime

from crm.entities import registry
from crm.entities.fields import NUMBERS, TIMES, Field, FieldType
from crm.entities.people import Directory, members, teams
from crm.entities.schema import nearest
from crm.entities.sql import iso_instant, orm_value
from crm.entities.text import Fold
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.scope import workspace
from crm.kit.text import LONGEST, fold, normalize_line, normalize_multiline, search_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

YES = frozenset({"yes", "y", "true", "t", "on", "1"})
NO = frozenset({"no", "n", "false", "f", "off", "0"})
EARLIEST, LATEST = date(1800, 1, 1), date(2300, 1, 1)
MAX_DIGITS, MAX_PLACES = 15, 6
MAX_TEXT = 500
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})", re.ASCII)


def parse_value(field: Field, text: str, *, directory: Directory | None = None, by: Actor | None = None) -> Any:
    """Parse a CSV cell, form input or operand `text`; None for an empty one.

    number, percent (a fraction), money: Decimal; date; datetime (aware; by default in the workspace's time zone);
    yes_no: bool; select: a choice value; multi_select: a list of them, separated by ; or a comma; user, team, link: a
    primary key. `directory` avoids loading members() or teams() per row. A link is resolved among records visible to
    `by`, or all without `by`. Raises Invalid with a message under the field's key.
    """
    if "\0" in text:
        raise Invalid({field.key: gettext("{field} contains an invalid character.").format(field=field.label)})
    text = normalize_text(field, text)
    if not text:
        return None
    try:
        if field.type in (FieldType.USER, FieldType.TEAM):
            return person(field, text, directory)
        if field.type is FieldType.LINK:
            return _link(field, text, by)
        return _PARSERS[field.type](field, text)
    except ValueError as error:
        raise Invalid({field.key: str(error)}) from None


def normalize_text(field: Field, text: str) -> str:
    """Normalize `text` for the field's type: composed, on one line unless multi-line."""
    return normalize_multiline(text) if field.type is FieldType.LONG_TEXT else normalize_line(text)


def number(text: str) -> Decimal:
    """Parse a number with a decimal point. Raises ValueError with a message."""
    if not _NUMBER.fullmatch(text):
        sentence = gettext(
            "“{text}” isn’t a valid number, e.g. 1250 or 12.5. Use up to {digits} digits and {places} decimals."
        )
        raise ValueError(sentence.format(text=text, digits=MAX_DIGITS, places=MAX_PLACES))
    return Decimal(text)


def percent(text: str) -> Decimal:
    """Parse 50% to 0.5. Raises ValueError with a message: a bare number would be ambiguous."""
    if not text.endswith("%"):
        raise ValueError(gettext("“{text}” isn’t a valid percentage, e.g. 50%.").format(text=text))
    return number(text[:-1].rstrip()) / 100


def in_range(day: date) -> bool:
    """Return whether records can have the date: later ones overflow in time zones, and as a series goes on."""
    return EARLIEST <= day < LATEST


def day(text: str) -> date:
    """Parse an ISO date. Raises ValueError with a message."""
    try:
        parsed = parse_date(text)
    except ValueError:
        parsed = None
    if parsed is None or not in_range(parsed):
        raise ValueError(gettext("“{text}” isn’t a valid date, e.g. 2026-03-31.").format(text=text))
    return parsed


def instant(text: str) -> datetime:
    """Parse an ISO date and time, by default in the workspace's time zone. Raises ValueError with a message."""
    try:
        parsed = parse_datetime(text)
    except ValueError:
        parsed = None
    if parsed is None or not in_range(parsed.date()):
        raise ValueError(gettext("“{text}” isn’t a valid date and time, e.g. 2026-03-31 14:30.").format(text=text))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone())


def zone() -> ZoneInfo:
    return ZoneInfo(workspace().timezone)


def person(field: Field, text: str, directory: Directory | None = None) -> int:
    """Return the primary key of the member or team called `text`. Raises ValueError with a message."""
    directory = directory or (members() if field.type is FieldType.USER else teams())
    found = directory.find(text)
    if len(found) > 1:
        raise ValueError(_several(field, text))
    if not found:
        raise NoSuch(_unknown(field, text), nearest(text, directory.labels()))
    return found[0].pk


def _several(field: Field, text: str) -> str:
    if field.type is FieldType.USER:
        return gettext("More than one user is named “{name}”. Use their email address.").format(name=text)
    return gettext("More than one team is named “{name}”. Rename one of them.").format(name=text)


def _unknown(field: Field, text: str) -> str:
    if field.type is FieldType.USER:
        return gettext("No user named “{name}” in this workspace.").format(name=text)
    return gettext("No team named “{name}” in this workspace.").format(name=text)


class NoSuch(ValueError):
    """An unknown name; `suggestion` is the nearest one, or ''."""

    def __init__(self, sentence: str, suggestion: str):
        meant = gettext("Did you mean “{suggestion}”?").format(suggestion=suggestion) if suggestion else ""
        super().__init__(f"{sentence} {meant}".rstrip())
        self.suggestion = suggestion


def choice_value(field: Field, text: str) -> str:
    """Return the choice value of `text`. Raises ValueError with a message that names the nearest or all choices."""
    choice = field.choice(text)
    if choice is None:
        labels = [str(choice.label) for choice in field.choices]
        if near := nearest(text, labels):
            sentence = gettext("“{text}” isn’t a valid value for {field}.")
        else:
            sentence = gettext("“{text}” isn’t a valid value for {field}. Choose from: {choices}.")
        raise NoSuch(sentence.format(text=text, field=field.label, choices=", ".join(labels)), near)
    return choice.value


def public_id_in(entity: registry.Entity, text: str) -> str:
    """Return the public id that `text` is or ends with, as in "Fleetly (org_Nw8rTxJv1)"; '' without one."""
    match = re.search(rf"(?:^|[ (])({entity.prefix}_[A-Za-z0-9]{{9}})\)?$", text, re.ASCII)
    return match[1] if match else ""


def _text(field: Field, text: str) -> str:
    longest = LONGEST if field.type is FieldType.LONG_TEXT else MAX_TEXT
    if field.custom and len(text) > longest:
        sentence = gettext("{field} can have up to {count} characters.")
        raise ValueError(sentence.format(field=field.label, count=formats.number(longest)))
    return text


def _checked(validate: Callable[[str], None], sentence: str) -> Callable[[Field, str], str]:
    def parse(field: Field, text: str) -> str:
        try:
            validate(text)
        except ValidationError:
            raise ValueError(sentence.format(text=text)) from None
        return text

    return parse


def _money(field: Field, text: str) -> Decimal:
    amount = number(text)
    if amount != round(amount, 2):
        raise ValueError(gettext("“{text}” can have two decimals at most.").format(text=text))
    return amount


def yes_no(text: str) -> bool:
    """Parse yes or no, in English or the active language. Raises ValueError with a message."""
    word = fold(text)
    if word in YES or word in map(fold, (gettext("yes"), gettext("Yes"))):
        return True
    if word in NO or word in map(fold, (gettext("no"), gettext("No"))):
        return False
    raise ValueError(gettext("“{text}” must be yes or no.").format(text=text))


def _multi_select(field: Field, text: str) -> list[str]:
    chosen = {choice_value(field, part) for part in re.split("[;,]", text) if part.strip()}
    return [choice.value for choice in field.choices if choice.value in chosen]


def _link(field: Field, text: str, by: Actor | None) -> int:
    entity = registry.get(field.target)
    rows = entity.model.objects.all()
    if by and hasattr(rows, "visible_to"):
        rows = rows.visible_to(by)  # hidden records are unknown, and don't make a name ambiguous
    if public_id := public_id_in(entity, text):
        found = list(rows.filter(**{entity.public_id: public_id}).values_list("pk", flat=True)[:1])
    else:
        rows = rows.live() if hasattr(rows, "live") else rows
        title = entity.fields[entity.title]
        if title.folded:
            named = rows.filter(**{title.folded: search_key(text)[:200]})
        else:
            named = rows.alias(folded_title=Fold(orm_value(title))).filter(folded_title=fold(text))
        found = list(named.values_list("pk", flat=True)[:2])
    if len(found) > 1:
        sentence = gettext("More than one record is named “{name}”. Use its ID, {prefix}_….")
        raise ValueError(sentence.format(name=text, prefix=entity.prefix))
    if not found:
        raise ValueError(gettext("No record named “{name}”.").format(name=text))
    return found[0]


def _no_single_value(field: Field, text: str) -> None:
    raise ValueError(gettext("{field} can hold several records and can’t be set.").format(field=field.label))


_PARSERS: dict[FieldType, Callable[[Field, str], Any]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.PHONE: _text,
    FieldType.EMAIL: _checked(validate_email, _("“{text}” isn’t a valid email address.")),
    FieldType.URL: _checked(
        URLValidator(["http", "https"]), _("“{text}” isn’t a valid URL. It must start with https://.")
    ),
    FieldType.NUMBER: lambda field, text: number(text),
    FieldType.PERCENT: lambda field, text: percent(text),
    FieldType.MONEY: _money,
    FieldType.DATE: lambda field, text: day(text),
    FieldType.DATETIME: lambda field, text: instant(text),
    FieldType.YES_NO: lambda field, text: yes_no(text),
    FieldType.SELECT: choice_value,
    FieldType.MULTI_SELECT: _multi_select,
    FieldType.MANY: _no_single_value,
}


def custom_value_to_json(field: Field, value: Any) -> Any:
    """Convert a typed value to JSON: numbers as numbers, times as ISO text, others unchanged."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return iso_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def custom_value_from_json(field: Field, value: Any) -> Any:
    """Convert JSON to a typed value. Raises ValueError if it does not match the field's type."""
    if value is None:
        return None
    if field.type in NUMBERS:
        return _decimal(value)
    if field.type is FieldType.DATE:
        return date.fromisoformat(value)
    if field.type is FieldType.DATETIME:
        return datetime.fromisoformat(value)
    return value


_JSON: dict[FieldType, tuple[type, ...]] = {
    **dict.fromkeys(NUMBERS, (int, float, Decimal)),
    FieldType.MULTI_SELECT: (list,),
    FieldType.USER: (int,),
    FieldType.LINK: (int,),
}


def is_of_type(field: Field, value: Any) -> bool:
    """Return whether a value has the JSON type of the custom field, which may have been converted since."""
    if field.type is FieldType.YES_NO or isinstance(value, bool):
        return field.type is FieldType.YES_NO and isinstance(value, bool)
    if field.type not in TIMES:
        return isinstance(value, _JSON.get(field.type, (str,)))
    try:
        return isinstance(value, date) or bool(custom_value_from_json(field, value))
    except (TypeError, ValueError):
        return False


def read_custom_value(field: Field, value: Any) -> Any:
    """Return the typed value of a record, None for one of another JSON type: SQL reads it as missing too."""
    return custom_value_from_json(field, value) if is_of_type(field, value) else None


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number.") from None
