"""Conversion of a custom field to another type: the offered types, and what becomes of a value.

Why: docs/decisions/0082-a-type-is-converted-value-by-value.md
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from crm.entities.display import Names
from crm.entities.fields import TEXTS, Field, FieldType
from crm.entities.people import members
from crm.entities.values import custom_value_to_json, is_of_type, parse_value, zone
from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.text import fold
from crm.kit.translation import gettext as _

LONGEST_OPTION = 80  # characters of an option's label

T = FieldType
PLAIN = (T.TEXT, T.LONG_TEXT)
OPTIONS = (T.SELECT, T.MULTI_SELECT)
READ = (T.NUMBER, T.MONEY, T.PERCENT, T.DATE, T.DATETIME, T.YES_NO, *OPTIONS, T.USER, T.URL, T.PHONE, T.EMAIL)
OFFERED: Mapping[FieldType, Sequence[FieldType]] = {
    T.TEXT: (T.LONG_TEXT, *READ),
    T.LONG_TEXT: (T.TEXT, *READ),
    T.EMAIL: (*PLAIN, T.USER),
    T.PHONE: PLAIN,
    T.URL: PLAIN,
    T.NUMBER: (*PLAIN, T.MONEY, T.PERCENT, T.SELECT, T.YES_NO),
    T.MONEY: (*PLAIN, T.NUMBER),
    T.PERCENT: (*PLAIN, T.NUMBER),
    T.DATE: (*PLAIN, T.DATETIME),
    T.DATETIME: (*PLAIN, T.DATE),
    T.YES_NO: (*PLAIN, T.SELECT),
    T.SELECT: (*PLAIN, T.MULTI_SELECT, T.NUMBER, T.YES_NO),
    T.MULTI_SELECT: (*PLAIN, T.SELECT),
    T.USER: PLAIN,
    T.LINK: PLAIN,
}


@dataclass(frozen=True)
class Converted:
    """A value in the new type, as JSON. None with `why` if it can't be one, and without for an empty value."""

    new: Any
    why: str = ""


class Conversion:
    """Converts JSON values of one field to another, each distinct value once."""

    def __init__(self, old: Field, new: Field, names: Names):
        self.old, self.new, self.names = old, new, names
        self._known: dict[str, Converted] = {}

    def of(self, value: Any) -> Converted:
        key = json.dumps(value)
        if key not in self._known:
            self._known[key] = self._convert(value)
        return self._known[key]

    def _convert(self, value: Any) -> Converted:
        if value in (None, "", []):
            return Converted(None)
        if self.old.type in OPTIONS and self.new.type in OPTIONS:
            return _between_options(value)
        try:
            text = as_text(self.old, value, self.names, self.new.type)
            return Converted(custom_value_to_json(self.new, parse_value(self.new, text, directory=self._members)))
        except (Invalid, ValueError) as error:
            return Converted(None, self._why_no_option() if self.new.type in OPTIONS else str(error))

    def _why_no_option(self) -> str:
        return _("Options have up to {count} characters.").format(count=formats.number(LONGEST_OPTION))

    @cached_property
    def _members(self):
        return members() if self.new.type is T.USER else None


def _between_options(value: Any) -> Converted:
    if not isinstance(value, list):
        return Converted([value])
    return Converted(value[0]) if len(value) == 1 else Converted(None, _("Several options are chosen."))


def as_text(old: Field, value: Any, names: Names, to: FieldType = T.TEXT) -> str:
    """Return a value as text that reads as the type `to`: a number as a percentage keeps its figure, a time its day.

    Raises ValueError for a link to a deleted record.
    """
    text = _AS_TEXT.get(old.type, _as_is)(old, value, names) if is_of_type(old, value) else str(value)
    if to is T.PERCENT and old.type is T.NUMBER:
        return f"{text}%"
    if old.type is T.PERCENT and to is T.NUMBER:
        return text.removesuffix("%")
    return text[:10] if (old.type, to) == (T.DATETIME, T.DATE) else text


def _as_is(old: Field, value: Any, names: Names) -> str:
    return str(value)


def _figure(old: Field, value: Any, names: Names) -> str:
    return f"{Decimal(str(value)).normalize():f}"


def _percent(old: Field, value: Any, names: Names) -> str:
    return f"{(Decimal(str(value)) * 100).normalize():f}%"


def _moment(old: Field, value: Any, names: Names) -> str:
    local = datetime.fromisoformat(value).astimezone(zone()).replace(tzinfo=None)
    return local.isoformat(" ", "auto" if local.second or local.microsecond else "minutes")


def _yes_no(old: Field, value: Any, names: Names) -> str:
    return "yes" if value else "no"  # as conditions and exports write it


def _option(old: Field, value: Any, names: Names) -> str:
    return old.choice_label(value)


def _options(old: Field, value: Any, names: Names) -> str:
    return "; ".join(old.choice_label(each) for each in value)


def _member(old: Field, value: Any, names: Names) -> str:
    return names.people.get(value) or f"member_{value}"


def _linked(old: Field, value: Any, names: Names) -> str:
    if name := names.records.get((old.target, value)):
        return name
    raise ValueError(_("The linked record was permanently deleted."))


_AS_TEXT: Mapping[FieldType, Callable[[Field, Any, Names], str]] = {
    T.NUMBER: _figure,
    T.MONEY: _figure,
    T.PERCENT: _percent,
    T.DATETIME: _moment,
    T.YES_NO: _yes_no,
    T.SELECT: _option,
    T.MULTI_SELECT: _options,
    T.USER: _member,
    T.LINK: _linked,
}


def is_misread(old: Field, to: FieldType) -> bool:
    """Return whether a condition on the field can stay valid after the conversion, but match other records.

    It names options and members by key, and days by words such as today; texts have names and days instead.
    """
    if old.type is T.SELECT and to not in OPTIONS:
        return any(fold(choice.value) != fold(str(choice.label)) for choice in old.choices)
    return (old.type is T.MULTI_SELECT and to not in OPTIONS) or (
        to in TEXTS and old.type in (T.USER, T.DATE, T.DATETIME)
    )
