"""A condition as the chips of a filter bar, each of which reads as a sentence."""

from dataclasses import dataclass

from crm.conditions.tree import Kind, Leaf, Node
from crm.conditions.write import LabelWriter
from crm.entities.fields import TIMES, Field

WORDS = {
    "=": "is",
    "!=": "is not",
    "in": "is",
    "not in": "is not",
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
}
CALENDAR_WORDS = {"<": "before", "<=": "up to", ">": "after", ">=": "from"}
AHEAD_WORDS = {"<": "within less than", "<=": "within", ">": "later than", ">=": "not before"}


@dataclass(frozen=True)
class Chip:
    """One part that must hold: `text` by label; `field`, `operator` and `value` to be styled apart.

    A group (or, not, at least, any) has its whole text in `field`.
    """

    text: str
    field: str
    operator: str = ""
    value: str = ""


def chip(node: Node, writer: LabelWriter) -> Chip:
    text = writer.text(node)
    if not isinstance(node, Leaf):
        return Chip(text, text)
    value = ", ".join(writer.value(node.path.field, operand) for operand in node.operands)
    return Chip(text, node.path.label, operator_words(node), value)


def offered_words(field: Field, operator: str) -> str:
    """How the filter builder says an operator, while nobody knows yet with what it will compare."""
    words = WORDS.get(operator, operator)
    is_place = field.type in TIMES and operator in CALENDAR_WORDS
    return f"{CALENDAR_WORDS[operator]} a date, {words} … ago" if is_place else words


def operator_words(leaf: Leaf) -> str:
    """How the operator is said: last activity “more than” 90 days ago, close date “before” 2026-03-31."""
    words = WORDS
    if leaf.path.field.type in TIMES and leaf.operands:
        kind = leaf.operands[0].kind
        words = WORDS if kind is Kind.AGO else WORDS | (AHEAD_WORDS if kind is Kind.FROM_NOW else CALENDAR_WORDS)
    return words.get(leaf.operator, leaf.operator)
