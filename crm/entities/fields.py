"""Field declarations: one per field, for lists, filters, forms, conditions, import and API."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language

from crm.kit.text import fold
from crm.kit.translation import in_english


class FieldType(StrEnum):
    """The type of a field; decides operators, cell, form field and SQL comparison."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    NUMBER = "number"
    PERCENT = "percent"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    YES_NO = "yes_no"
    SELECT = "select"
    MULTI_SELECT = "multi_select"
    USER = "user"  # a membership, e.g. an owner
    TEAM = "team"
    LINK = "link"  # to one record of `target`
    MANY = "many"  # to many records of `target`; in a condition: any of them


TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})
NUMBERS = frozenset({FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY})
TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})


@dataclass(frozen=True)
class Choice:
    """An option of a select field: stored value, label, badge tone (amber blue green red grey violet, or '').

    `aliases` are further names in conditions and files, e.g. former ones.
    """

    value: str
    label: str = field(compare=False)
    tone: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A field of an entity.

    `key` is stored in views and conditions; `path` the ORM path from the entity's model (default: the key); `api` the
    camelCase name of source 002; `aliases` further names, matched case-insensitively like key, label and api. A percent
    is stored as a fraction (0.5 is 50%), a declared multi select as a JSON list of choice values.
    """

    key: str
    label: str = field(compare=False)
    type: FieldType
    path: str = ""
    api: str = ""
    aliases: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    target: str = ""
    required: bool = False
    editable: bool = True
    # The sort column: never null and leading an index. '' if sorting needs the time limit.
    sort: str = ""
    # The column with the text's search_key(), for matching and comparing names.
    folded: str = ""
    custom: bool = False
    help: str = field(default="", compare=False)
    due: bool = False  # for due times: lists count down to them
    decimals: int | None = None  # shown of a number; None for as many as it has
    currency: str = ""  # for money: the adjacent currency column
    items: FieldType | None = None  # for a list of addresses (crm/kit/addresses.py): EMAIL or PHONE
    # For a computed field: returns its ORM expression; `path` is then unused.
    expression: Callable[[], Any] | None = None
    # For a computed link: returns the target's rows, tied to the record by OuterRef("pk"), at most one (the open or
    # latest lead). It becomes an EXISTS, which PostgreSQL can turn into a join with indexes.
    rows: Callable[[], QuerySet] | None = None

    def names(self) -> tuple[str, ...]:
        """Return every accepted name of the field, in the active language and in English."""
        english = in_english(self.label)
        return tuple(str(name) for name in (self.key, self.label, english, self.api, *self.aliases) if name)

    def column(self) -> str:
        return self.path or self.key

    def choice(self, text: str) -> Choice | None:
        """Return the choice named by `text`: its value, or its label in the active language or English.

        Ignores case, spaces, underscores and hyphens.
        """
        return self._choices_by_name(get_language() or "").get(squash(text))

    def _choices_by_name(self, language: str) -> dict[str, Choice]:
        """Return the choices by name, cached per language: imports look up every cell."""
        if language not in self._named:
            named: dict[str, Choice] = {}
            for choice in self.choices:
                for name in (choice.value, choice.label, in_english(choice.label), *choice.aliases):
                    named.setdefault(squash(name), choice)
            self._named[language] = named  # assigned complete, because other threads read it
        return self._named[language]

    @cached_property
    def _named(self) -> dict[str, dict[str, Choice]]:
        return {}

    def choice_label(self, value: str) -> str:
        """Return a stored value's label; the value itself if it is no longer a choice."""
        return next((str(choice.label) for choice in self.choices if choice.value == value), value)


def squash(text: str) -> str:
    """Fold text and drop separators, so that DecisionMaker, decision_maker and Decision maker match."""
    return "".join(ch for ch in fold(text) if ch not in " _-\t")
