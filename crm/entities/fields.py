"""How an entity declares its fields: one declaration serves lists, filters, forms, conditions, import and the API."""

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
    """What kind of value a field holds; decides operators, cell, form field and how it is compared in SQL."""

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
    USER = "user"  # a membership: owner, a person field
    TEAM = "team"
    LINK = "link"  # to one record of `target`
    MANY = "many"  # to many records of `target`; in a condition: any of them


TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL})
NUMBERS = frozenset({FieldType.NUMBER, FieldType.PERCENT, FieldType.MONEY})
TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})


@dataclass(frozen=True)
class Choice:
    """One value of a select: stored value, label, badge tone (amber blue green red grey violet, or '').

    `aliases` are further names of it, in conditions and in files: what it was called before.
    """

    value: str
    label: str = field(compare=False)
    tone: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A field of an entity.

    `key` is what views and conditions store; `path` the ORM path from the entity's model (default: the key);
    `api` the camelCase name of source 002; `aliases` further names, matched without case like key, label and api.
    A percent is stored as a fraction (0.5 is 50%), a declared multi select as a JSON list of choice values.
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
    # The column to sort by: never null and led by an index. '' where a list may still sort, within a time limit.
    sort: str = ""
    # The column that holds the text's search_key(): by which names are matched, and compared in conditions.
    folded: str = ""
    custom: bool = False
    help: str = field(default="", compare=False)
    due: bool = False  # for times by which something is owed: lists count down to them
    currency: str = ""  # for money: the column beside it that holds its currency
    # For a computed field: builds the ORM expression that stands for it; then `path` is unused.
    expression: Callable[[], Any] | None = None
    # For a computed link: builds the queryset of the target's rows, tied to the record by OuterRef("pk"), one at most
    # (the open lead, else the latest). It becomes an EXISTS, which PostgreSQL can turn into a join and use indexes for.
    rows: Callable[[], QuerySet] | None = None

    def names(self) -> tuple[str, ...]:
        """Every name that a person, a file or the API may call the field by, in the language in use and in English."""
        english = in_english(self.label)
        return tuple(str(name) for name in (self.key, self.label, english, self.api, *self.aliases) if name)

    def column(self) -> str:
        return self.path or self.key

    def choice(self, text: str) -> Choice | None:
        """The choice meant by `text`: its value, or its label in the language in use or in English.

        Without case, spaces, underscores and hyphens.
        """
        return self._choices_by_name(get_language() or "").get(squash(text))

    def _choices_by_name(self, language: str) -> dict[str, Choice]:
        """Made once for each language: an import asks for every cell."""
        if language not in self._named:
            named: dict[str, Choice] = {}
            for choice in self.choices:
                for name in (choice.value, choice.label, in_english(choice.label), *choice.aliases):
                    named.setdefault(squash(name), choice)
            self._named[language] = named  # whole, for other threads read it
        return self._named[language]

    @cached_property
    def _named(self) -> dict[str, dict[str, Choice]]:
        return {}

    def choice_label(self, value: str) -> str:
        """What to show for a stored value; a value that is no choice any more shows itself."""
        return next((str(choice.label) for choice in self.choices if choice.value == value), value)


def squash(text: str) -> str:
    """Folded and without the marks that tell DecisionMaker, decision_maker and Decision maker apart."""
    return "".join(ch for ch in fold(text) if ch not in " _-\t")
