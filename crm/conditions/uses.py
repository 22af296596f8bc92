"""References of a stored condition: its fields, and the options it compares them with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crm.conditions.parse import parse
from crm.conditions.tree import AnyRow, Kind, Leaf, Node, leaves
from crm.entities.uses import Target, all_setting_uses, option_target, targets_of_path
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.models import Team
from crm.users.team_uses import on_team_use


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


@on_team_use
def conditions_of_team(team: Team) -> Iterator[tuple[str, str]]:
    """List the settings with a condition that names the team: it is stored as team_12."""
    named = re.compile(rf"\bteam_{team.pk}\b")
    for use in all_setting_uses():
        if use.blocks and any(named.search(getattr(reference, "text", "")) for reference in use.references):
            yield use.label, use.url
