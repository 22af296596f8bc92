"""Writers from a condition to text: by key, as stored, or by label, as shown. Both parse back to the same condition."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from crm.conditions.tree import All, AnyRow, AtLeast, Either, Kind, Leaf, Node, Not, Operand
from crm.entities.fields import Field, FieldType
from crm.entities.people import members, teams
from crm.entities.schema import Path
from crm.entities.values import zone

KEYWORDS = frozenset(
    ["and", "or", "not", "in", "at", "least", "of", "contains", "starts", "with", "is", "empty", "any"]
)
_PLAIN_NAME = re.compile(r"[^\s.,()\[\]\"=!<>#]+(?: [^\s.,()\[\]\"=!<>#]+)*")
_PLAIN_VALUE = re.compile(r"[^\s,()\"'#][^\s,()\"]*(?: [^\s,()\"'#][^\s,()\"]*)*")


class Writer:
    """Writer by field key and stored value."""

    def text(self, node: Node) -> str:
        """Return the text of a condition; '' for the one that matches all records."""
        match node:
            case All(parts):
                return " and ".join(self._within(part, Either) for part in parts)
            case Either(parts):
                return " or ".join(map(self.text, parts))
            case Not(part):
                return f"not {self._within(part, All | Either)}"
            case AtLeast(count, parts):
                return f"at least {count} of ({', '.join(map(self.text, parts))})"  # not a text
            case AnyRow(path, part):
                return f"any {self.path(path)} ({self.text(part)})"
        return self.comparison(node)

    def _within(self, part: Node, bracketed) -> str:
        return f"({self.text(part)})" if isinstance(part, bracketed) else self.text(part)

    def comparison(self, leaf: Leaf) -> str:
        values = ", ".join(quoted(self.value(leaf.path.field, operand)) for operand in leaf.operands)
        if leaf.operator in ("in", "not in"):  # not a text
            values = f"({values})"
        return f"{self.path(leaf.path)} {leaf.operator} {values}".rstrip()

    def path(self, path: Path) -> str:
        return path.key

    def value(self, field: Field, operand: Operand) -> str:
        """Return an operand, unquoted."""
        match operand.kind:
            case Kind.VALUE:
                return _WRITERS.get(field.type, lambda value: str(value))(operand.value)
            case Kind.AGO | Kind.FROM_NOW:
                amount, unit = operand.value
                return f"{amount} {unit}{'' if amount == 1 else 's'} {operand.kind}"
        return str(operand.kind)


class LabelWriter(Writer):
    """Writer by label, with people by name: one query each for members and teams, if a condition names any."""

    @cached_property
    def _members(self):
        return members()

    @cached_property
    def _teams(self):
        return teams()

    def path(self, path: Path) -> str:
        return ".".join(map(bracketed, path.labels))

    def value(self, field: Field, operand: Operand) -> str:
        if operand.kind is Kind.VALUE:
            match field.type:
                case FieldType.SELECT | FieldType.MULTI_SELECT:
                    return field.choice_name(operand.value)
                case FieldType.USER:
                    return self._members.label(operand.value)
                case FieldType.TEAM:
                    return self._teams.label(operand.value)
                case FieldType.DATETIME if isinstance(operand.value, datetime):
                    return _local(operand.value)
        return super().value(field, operand)


def bracketed(name: str) -> str:
    """Return a name for use in a condition, in [brackets] if a keyword or mark in it would be misread."""
    plain = _PLAIN_NAME.fullmatch(name) and not KEYWORDS & set(name.lower().split())
    return name if plain else f"[{name}]"


def quoted(value: str) -> str:
    """Return a value for use in a condition, in "quotes" if a mark or word in it would end it."""
    if _PLAIN_VALUE.fullmatch(value) and not {"and", "or"} & set(value.lower().split()):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _local(value: datetime) -> str:
    """Return the workspace's local time, with its offset where the clock shows that time twice."""
    local = value.astimezone(zone())
    return local.replace(tzinfo=None).isoformat(" ") if not local.fold else local.isoformat(" ")


_WRITERS: dict[FieldType, Callable] = {
    FieldType.NUMBER: _number,
    FieldType.MONEY: _number,
    FieldType.PERCENT: lambda value: f"{_number(value * 100)}%",
    FieldType.DATE: lambda value: value.isoformat(),
    FieldType.DATETIME: lambda value: value.isoformat(),
    FieldType.YES_NO: lambda value: "yes" if value else "no",
    FieldType.USER: lambda value: f"member_{value}",
    FieldType.TEAM: lambda value: f"team_{value}",
}
