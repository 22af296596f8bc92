"""How an entity declares its fields: one declaration serves lists, filters, forms, conditions, import and the API."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True)
class Choice:
    """One value of a select: stored value, label, badge tone (amber blue green red grey violet, or '')."""

    value: str
    label: str
    tone: str = ""


@dataclass(frozen=True)
class Field:
    """A field of an entity.

    `key` is what views and conditions store; `path` the ORM path from the entity's model (default: the key);
    `api` the camelCase name of source 002; `aliases` further names, matched without case like key, label and api.
    """

    key: str
    label: str
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
    custom: bool = False
    help: str = ""
    # For a computed field: builds the ORM expression that stands for it; then `path` is unused.
    expression: Callable[[], Any] | None = None
