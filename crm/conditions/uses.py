"""References of a stored condition: its fields, and the options it compares them with."""

from collections.abc import Iterator
from dataclasses import dataclass

from crm.conditions.parse import parse
from crm.conditions.tree import AnyRow, Kind, Leaf, Node, leaves
from crm.entities.uses import Target, option_target, targets_of_path
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _


@dataclass(frozen=True)
class ConditionReference:
    """A condition on an entity's records; `people` as in parse()."""

    entity: str
    text: str
    people: bool = True

    def targets(self) -> list[Target]:
        try:
            return list(targets_of(parse(self.text, self.entity, people=self.people).root))
        except KeyError:
            raise Invalid(_("The record type “{name}” doesn’t exist.").format(name=self.entity)) from None


def targets_of(node: Node) -> Iterator[Target]:
    """Yield the fields and options in a condition, including those of linked records."""
    for leaf in leaves(node):
        yield from targets_of_path(leaf.path)
        yield from targets_of(leaf.part) if isinstance(leaf, AnyRow) else _options(leaf)


def _options(leaf: Leaf) -> Iterator[Target]:
    *_, (entity, field) = leaf.path.steps()
    if field.choices:
        for operand in leaf.operands:
            if operand.kind is Kind.VALUE:
                yield option_target(entity.name, field.key, operand.value)
