"""Field declarations: one per field, for lists, filters, forms, conditions, import and API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from crm.kit.text import fold
from crm.kit.translation import active_language, in_english


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

    `aliases` are further names in conditions and files, e.g. former ones. `group` is the heading it is listed under. A
    record at a stage that `ends_it` needs no further values: it was lost.
    """

    value: str
    label: str = field(compare=False)
    tone: str = ""
    aliases: tuple[str, ...] = ()
    group: str = field(default="", compare=False)
    ends_it: bool = False


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
    choices: Sequence[Choice] = ()  # a LazySequence where each workspace has its own
    target: str = ""
    required: bool = False
    required_from: tuple[str, ...] = ()  # stages of the entity, from which on records need a value
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
        """Return the choice named by `text`: its exact value, or its label in the active language or English.

        Labels ignore case, spaces, underscores and hyphens, unless that is another choice: of A and A-, A- is the
        second. A label may be the stored value of a choice renamed since.
        """
        named = self._choices_by_name(active_language() or "")
        return named.get(_exact(text)) or named.get(fold(text)) or named.get(squash(text))

    def _choices_by_name(self, language: str) -> dict[str, Choice]:
        """Return the choices by name, cached per language: imports look up every cell."""
        if not isinstance(self.choices, tuple):
            return _by_name(self.choices)
        if language not in self._named:
            self._named[language] = _by_name(self.choices)  # assigned complete, because other threads read it
        return self._named[language]

    @cached_property
    def _named(self) -> dict[str, dict[str, Choice]]:
        return {}

    def fixed(self) -> "Field":
        """Return the field with the choices of the workspace in scope."""
        return self if isinstance(self.choices, tuple) else replace(self, choices=tuple(self.choices))

    def values_like(self, value: Any) -> list[Any]:
        """Return the stored values that are shown as this one: stages of several pipelines may share a label."""
        label = self.choice_label(value)
        return [choice.value for choice in self.choices if str(choice.label) == label] or [value]

    def choice_label(self, value: str) -> str:
        """Return a stored value's label; the value itself if it is no longer a choice."""
        return next((str(choice.label) for choice in self.choices if choice.value == value), value)

    def choice_name(self, value: str) -> str:
        """Return a stored value's label, or the value itself if the label would be read as another choice."""
        label = self.choice_label(value)
        read = self.choice(label)
        return label if read and str(read.label) == label else value


def _exact(value: str) -> str:
    return f" {value}"  # no name begins with a space


def _by_name(choices: Sequence[Choice]) -> dict[str, Choice]:
    """Return choices by exact value; by label, then other names: a label that users see wins over a similar key."""
    named = {_exact(choice.value): choice for choice in choices}
    for key in (fold, squash):
        for names in (_labels, _other_names):
            for choice in choices:
                for name in names(choice):
                    named.setdefault(key(name), choice)
    return named


def _labels(choice: Choice) -> tuple[str, ...]:
    return choice.label, in_english(choice.label)


def _other_names(choice: Choice) -> tuple[str, ...]:
    return choice.value, *choice.aliases


def squash(text: str) -> str:
    """Fold text and drop separators, so that DecisionMaker, decision_maker and Decision maker match."""
    return "".join(ch for ch in fold(text) if ch not in " _-\t")
