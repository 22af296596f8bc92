"""Operators per field type, and parsing of their operands."""

import re
from datetime import UTC

from crm.conditions.tree import Kind, Operand
from crm.entities.fields import NUMBERS, TEXTS, TIMES, Field, FieldType
from crm.entities.people import stable_pk
from crm.entities.values import choice_value, day, instant, number, percent, person, yes_no
from crm.kit import formats
from crm.kit.text import fold
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _

EMPTY = ("is empty", "is not empty")  # not a text
EQUAL = ("=", "!=", "in", "not in")  # not a text
ORDER = ("<", "<=", ">", ">=")
SEARCH = ("contains", "starts with")  # not a text
# Operators that negate another: x != y holds exactly where x = y does not.
NEGATIONS = {"!=": "=", "not in": "in", "is empty": "is not empty"}  # not a text
LONGEST = {"hour": 24 * 36_500, "day": 36_500, "week": 5_200, "month": 1_200}
TOO_FAR = {
    "hour": _("Use at most {count} hours."),
    "day": _("Use at most {count} days."),
    "week": _("Use at most {count} weeks."),
    "month": _("Use at most {count} months."),
}

_RELATIVE = re.compile(r"([0-9]{1,6}) (hour|day|week|month)s? (ago|from now)", re.IGNORECASE | re.ASCII)


def operators(field: Field) -> tuple[str, ...]:
    """Return the operators of a field, in the order the filter builder offers them."""
    if field.type in TEXTS or field.type is FieldType.LINK:
        return (*EQUAL, *SEARCH, *EMPTY)
    if field.type in NUMBERS | TIMES:
        return (*EQUAL, *ORDER, *EMPTY)
    if field.type is FieldType.MULTI_SELECT:
        return (*EQUAL, "contains", *EMPTY)
    if field.type is FieldType.YES_NO:
        return ("=", "!=", *EMPTY)
    return EMPTY if field.type is FieldType.MANY else (*EQUAL, *EMPTY)


def read_operand(field: Field, operator: str, text: str) -> Operand:
    """Parse the operand `text` for `field` and `operator`. Raises ValueError with a message."""
    if not text.strip():
        raise ValueError(gettext("Use “is empty” to find records without a value."))
    if field.type in TIMES:
        return _time(field, operator, " ".join(text.split()))
    if field.type in (FieldType.USER, FieldType.TEAM):
        return _person(field, text)
    return Operand(Kind.VALUE, _READERS[field.type](field, text))


def looked_up(field: Field, text: str) -> bool:
    """Return whether parsing `text` looked up members or teams, which change without a new schema version."""
    if field.type not in (FieldType.USER, FieldType.TEAM):
        return False
    return fold(text.strip()) not in (Kind.ME, Kind.MY_TEAM) and stable_pk(_prefix(field), text) is None


def _prefix(field: Field) -> str:
    return "member" if field.type is FieldType.USER else "team"


def _person(field: Field, text: str) -> Operand:
    word = fold(" ".join(text.split()))
    if word == (Kind.ME if field.type is FieldType.USER else Kind.MY_TEAM):
        return Operand(Kind(word))
    pk = stable_pk(_prefix(field), text)
    return Operand(Kind.VALUE, person(field, text) if pk is None else pk)


def _time(field: Field, operator: str, text: str) -> Operand:
    if fold(text) == Kind.TODAY:
        return Operand(Kind.TODAY)
    if fold(text) == Kind.NOW:
        _check_now(field, operator)
        return Operand(Kind.NOW)
    if relative := _RELATIVE.fullmatch(text):
        amount, unit, direction = int(relative[1]), relative[2].lower(), Kind(relative[3].lower())
        _check_relative(field, operator, amount, unit)
        return Operand(direction, (amount, unit))
    return Operand(Kind.VALUE, _absolute(field, text))


def _check_now(field: Field, operator: str) -> None:
    if field.type is FieldType.DATE:
        raise ValueError(gettext("{field} has no time. Use “today”.").format(field=field.label))
    if operator not in ORDER:
        raise ValueError(gettext("Use “now” with <, <=, > or >=."))


def _check_relative(field: Field, operator: str, amount: int, unit: str) -> None:
    if amount > LONGEST[unit]:
        raise ValueError(TOO_FAR[unit].format(count=formats.number(LONGEST[unit])))
    if unit == "hour" and field.type is FieldType.DATE:
        raise ValueError(gettext("{field} has no time. Use days, weeks or months.").format(field=field.label))
    if operator not in ORDER and unit != "day":
        sentence = gettext("With “{operator}”, “ago” and “from now” count in days. For other units use <, <=, > or >=.")
        raise ValueError(sentence.format(operator=operator))


def _absolute(field: Field, text: str):
    if re.fullmatch(r"[0-9-]+", text):
        return day(text)
    if field.type is FieldType.DATE:
        sentence = gettext("“{text}” isn’t a valid date. Try 2026-03-31, today, 30 days ago or 7 days from now.")
        raise ValueError(sentence.format(text=text))
    return instant(text).astimezone(UTC)


def _text(field: Field, text: str) -> str:
    return text


_READERS = {
    **dict.fromkeys((*TEXTS, FieldType.LINK), _text),
    FieldType.NUMBER: lambda field, text: number(text.strip()),
    FieldType.MONEY: lambda field, text: number(text.strip()),
    FieldType.PERCENT: lambda field, text: percent(text.strip()),
    FieldType.YES_NO: lambda field, text: yes_no(text.strip()),
    FieldType.SELECT: choice_value,
    FieldType.MULTI_SELECT: choice_value,
}
