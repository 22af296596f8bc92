"""A condition, read and checked: what the grammar's words mean for one entity."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm.entities.schema import Path


class Kind(StrEnum):
    """What an operand is: a value of the field, or something that is known only when the condition is evaluated."""

    VALUE = "value"
    ME = "me"
    MY_TEAM = "my team"  # not a text
    TODAY = "today"
    AGO = "ago"  # value: (amount, unit)
    FROM_NOW = "from now"  # value: (amount, unit)  # not a text


@dataclass(frozen=True)
class Operand:
    """One side of a comparison. `value` is typed by the field: Decimal, bool, date, UTC datetime, choice, pk, text."""

    kind: Kind
    value: Any = None


@dataclass(frozen=True)
class Leaf:
    """One comparison: `operator` as the language writes it, in small letters."""

    path: Path
    operator: str
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class All:
    """Every part holds. No part at all: every record matches."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Either:
    """One part holds, or more."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class AtLeast:
    """`count` parts hold, or more."""

    count: int
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Node"


@dataclass(frozen=True)
class AnyRow:
    """One of the rows at the end of `path` meets the whole of `part`, whose paths start at that row."""

    path: Path
    part: "Node"


Node = Leaf | All | Either | AtLeast | Not | AnyRow


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node that are evaluated on the same record, in the order they were written."""
    match node:
        case All(parts) | Either(parts) | AtLeast(_, parts):
            return parts
        case Not(part):
            return (part,)
    return ()


def leaves(node: Node) -> Iterator[Leaf | AnyRow]:
    """What is evaluated on the record itself, depth first: comparisons and `any` groups."""
    if isinstance(node, Leaf | AnyRow):
        yield node
    for part in children(node):
        yield from leaves(part)


def paths(node: Node, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """Every field used, as a dotted path of keys from the condition's entity; those inside `any` groups too."""
    for leaf in leaves(node):
        here = (*prefix, leaf.path.key)
        yield ".".join(here)
        if isinstance(leaf, AnyRow):
            yield from paths(leaf.part, here)
