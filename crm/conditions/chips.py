"""A condition as the chips of a filter bar, each reading as a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from crm.conditions.operands import ORDER
from crm.conditions.tree import All, AnyRow, AtLeast, Either, Kind, Leaf, Node, Not, Operand
from crm.conditions.write import LabelWriter
from crm.entities.fields import NUMBERS, TIMES, Field, FieldType
from crm.kit import formats
from crm.kit.translation import gettext, ngettext, pgettext_lazy

WORDS = {
    "=": pgettext_lazy("operator", "is"),
    "!=": pgettext_lazy("operator", "is not"),
    "in": pgettext_lazy("operator", "is"),
    "not in": pgettext_lazy("operator", "is not"),  # not a text
    "<": pgettext_lazy("operator", "less than"),
    "<=": pgettext_lazy("operator", "at most"),
    ">": pgettext_lazy("operator", "more than"),
    ">=": pgettext_lazy("operator", "at least"),
    "contains": pgettext_lazy("operator", "contains"),
    "starts with": pgettext_lazy("operator", "starts with"),  # not a text
    "is empty": pgettext_lazy("operator", "is empty"),  # not a text
    "is not empty": pgettext_lazy("operator", "is not empty"),  # not a text
}
CALENDAR_WORDS = {
    "<": pgettext_lazy("operator", "before"),
    "<=": pgettext_lazy("operator", "on or before"),
    ">": pgettext_lazy("operator", "after"),
    ">=": pgettext_lazy("operator", "on or after"),
}
AHEAD_WORDS = {
    "<": pgettext_lazy("operator", "in less than"),
    "<=": pgettext_lazy("operator", "in the next"),
    ">": pgettext_lazy("operator", "in more than"),
    ">=": pgettext_lazy("operator", "in at least"),
}
# Offered before the operand, a date or a duration, is known.
OFFERED_WORDS = {
    "<": pgettext_lazy("operator", "before a date, or less than … ago"),
    "<=": pgettext_lazy("operator", "on or before a date, or at most … ago"),
    ">": pgettext_lazy("operator", "after a date, or more than … ago"),
    ">=": pgettext_lazy("operator", "on or after a date, or at least … ago"),
}


@dataclass(frozen=True)
class Chip:
    """A top-level part of a condition: `text` by label, and `field`, `operator` and `value` for separate styling.

    A group (or, not, at least, any) has its whole text in `field`.
    """

    text: str
    field: str
    operator: str = ""
    value: str = ""


def chip(node: Node, writer: "SentenceWriter") -> Chip:
    text = writer.text(node)
    if not isinstance(node, Leaf):
        return Chip(text, text)
    return Chip(text, node.path.label, operator_words(node), writer.values(node))


class SentenceWriter(LabelWriter):
    """Writer in the words of the reader's language: “Email is not empty and Owner is me”."""

    def text(self, node: Node) -> str:
        match node:
            case All(parts):
                return formats.both([self._within(part, Either) for part in parts])
            case Either(parts):
                return formats.either([self._within(part, All) for part in parts])
            case Not(part):
                return gettext("not ({condition})").format(condition=self.text(part))
            case AtLeast(count, parts):
                conditions = ", ".join(self._within(part, All | Either) for part in parts)
                return gettext("at least {count} of: {conditions}").format(count=count, conditions=conditions)
            case AnyRow(path, part):
                return gettext("any of {records} with {condition}").format(
                    records=path.label, condition=self.text(part)
                )
        return self.comparison(node)

    def comparison(self, leaf: Leaf) -> str:
        text = gettext("{field} {operator} {value}")
        return text.format(field=leaf.path.label, operator=operator_words(leaf), value=self.values(leaf)).rstrip()

    def values(self, leaf: Leaf) -> str:
        """Return what a field is compared with."""
        return formats.either([_value(leaf, operand, self) for operand in leaf.operands])


def offered_words(field: Field, operator: str) -> str:
    """Return the words for an operator in the filter builder, before its operand is known."""
    words = OFFERED_WORDS if field.type in TIMES and operator in OFFERED_WORDS else WORDS
    return str(words.get(operator, operator))


def operator_words(leaf: Leaf) -> str:
    """Return a leaf's operator in words: last activity “more than” 90 days ago, close date “before” 31 Mar 2026."""
    words = WORDS
    if leaf.path.field.type in TIMES and leaf.operands:
        kind = leaf.operands[0].kind
        words = WORDS if kind is Kind.AGO else WORDS | (AHEAD_WORDS if kind is Kind.FROM_NOW else CALENDAR_WORDS)
    return str(words.get(leaf.operator, leaf.operator))


def _value(leaf: Leaf, operand: Operand, writer: LabelWriter) -> str:
    match operand.kind:
        case Kind.VALUE:
            return typed_value(leaf.path.field, operand, writer)
        case Kind.AGO:
            return spoken(ago, *operand.value)
        case Kind.FROM_NOW:
            amount, unit = operand.value
            return spoken(span if leaf.operator in ORDER else from_now, amount, unit)
        case Kind.ME:
            return gettext("me")
        case Kind.MY_TEAM:
            return gettext("my team")
        case Kind.NOW:
            return gettext("now")
    return gettext("today")


def typed_value(field: Field, operand: Operand, writer: LabelWriter) -> str:
    """Return a plain value as people read it."""
    value = operand.value
    if field.type is FieldType.YES_NO:
        return gettext("yes") if value else gettext("no")
    if field.type is FieldType.PERCENT:
        return formats.percent(value, 6)
    if field.type in NUMBERS:
        return formats.number(value)
    if field.type in TIMES:
        return formats.moment(value) if isinstance(value, datetime) else formats.day(value)
    return writer.value(field, operand)


def ago(amount: int, unit: str) -> str:
    """Return the words for a past span, with {count} in them."""
    match unit:
        case "hour":
            return ngettext("{count} hour ago", "{count} hours ago", amount)
        case "week":
            return ngettext("{count} week ago", "{count} weeks ago", amount)
        case "month":
            return ngettext("{count} month ago", "{count} months ago", amount)
    return ngettext("{count} day ago", "{count} days ago", amount)


def from_now(amount: int, unit: str) -> str:
    """Return the words for a coming span, with {count} in them."""
    match unit:
        case "hour":
            return ngettext("{count} hour from now", "{count} hours from now", amount)
        case "week":
            return ngettext("{count} week from now", "{count} weeks from now", amount)
        case "month":
            return ngettext("{count} month from now", "{count} months from now", amount)
    return ngettext("{count} day from now", "{count} days from now", amount)


def span(amount: int, unit: str) -> str:
    """Return the words for a span, with {count} in them."""
    match unit:
        case "hour":
            return ngettext("{count} hour", "{count} hours", amount)
        case "week":
            return ngettext("{count} week", "{count} weeks", amount)
        case "month":
            return ngettext("{count} month", "{count} months", amount)
    return ngettext("{count} day", "{count} days", amount)


def spoken(words: Callable[[int, str], str], amount: int, unit: str) -> str:
    """Return one of these spans with its number."""
    return words(amount, unit).format(count=formats.number(amount))
