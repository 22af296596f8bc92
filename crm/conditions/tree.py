"""The checked syntax tree of a condition."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm.entities.schema import Path


class Kind(StrEnum):
    """The kind of an operand: a value, or an expression known only at evaluation."""

    VALUE = "value"
    ME = "me"
    MY_TEAM = "my team"  # not a text
    TODAY = "today"
    NOW = "now"  # of date-times
    AGO = "ago"  # value: (amount, unit)
    FROM_NOW = "from now"  # value: (amount, unit)  # not a text


@dataclass(frozen=True)
class Operand:
    """A comparison's right side. `value` is typed by the field: Decimal, bool, date, UTC datetime, choice, pk, text."""

    kind: Kind
    value: Any = None


@dataclass(frozen=True)
class Leaf:
    """A comparison; `operator` is spelled as in the language, in lower case."""

    path: Path
    operator: str
    operands: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class All:
    """Every part holds. Without parts, every record matches."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Either:
    """At least one part holds."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class AtLeast:
    """At least `count` parts hold."""

    count: int
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Node"


@dataclass(frozen=True)
class AnyRow:
    """One of the rows at the end of `path` meets all of `part`, whose paths start at that row."""

    path: Path
    part: "Node"


Node = Leaf | All | Either | AtLeast | Not | AnyRow


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts of a node that apply to the same record, in source order."""
    match node:
        case All(parts) | Either(parts) | AtLeast(_, parts):
            return parts
        case Not(part):
            return (part,)
    return ()


def leaves(node: Node) -> Iterator[Leaf | AnyRow]:
    """Yield what is evaluated on the record itself, depth first: comparisons and `any` groups."""
    if isinstance(node, Leaf | AnyRow):
        yield node
    for part in children(node):
        yield from leaves(part)


def paths(node: Node, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield each field used, as a dotted path of keys from the condition's entity, also inside `any` groups."""
    for leaf in leaves(node):
        here = (*prefix, leaf.path.key)
        yield ".".join(here)
        if isinstance(leaf, AnyRow):
            yield from paths(leaf.part, here)
