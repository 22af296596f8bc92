"""What people type into a filter, in their language and formats, as conditions write it."""

import re

from crm.conditions.chips import ago, from_now
from crm.conditions.tree import Kind
from crm.entities.fields import NUMBERS, TIMES, Field, FieldType
from crm.kit import formats
from crm.kit.text import fold
from crm.kit.translation import gettext

UNITS = ("hour", "day", "week", "month")


def read_operand(field: Field, text: str) -> str:
    """Return a typed value as conditions write it: in German “48.000,50” is 48000.50, “vor 30 Tagen” 30 days ago.

    What is understood by no rule stays as it is: the parser reads English, and says what is wrong.
    """
    if field.type in NUMBERS:
        return f"{formats.read_number(text[:-1])}%" if text.endswith("%") else formats.read_number(text)
    if field.type in TIMES:
        return _read_time(text)
    if field.type is FieldType.USER and fold(text) == fold(gettext("me")):
        return str(Kind.ME)
    return text


def _read_time(text: str) -> str:
    if fold(text) == fold(gettext("today")):
        return str(Kind.TODAY)
    if fold(text) == fold(gettext("now")):
        return str(Kind.NOW)
    for kind, words in ((Kind.AGO, ago), (Kind.FROM_NOW, from_now)):
        for unit in UNITS:
            for amount in (1, 2):
                pattern = re.escape(fold(words(amount, unit))).replace(re.escape("{count}"), r"(\d{1,4})")
                if found := re.fullmatch(pattern, fold(text), re.ASCII):
                    return f"{found[1]} {unit}s {kind}"
    return formats.read_day(text)
