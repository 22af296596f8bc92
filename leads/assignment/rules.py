"""The assignment rules of a workspace, ready for use."""

from dataclasses import dataclass
from functools import lru_cache

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.scope import workspace
from leads.assignment.models import AssignmentRule


@dataclass(frozen=True)
class Rule:
    """An active rule with its condition parsed; `people` are keys of memberships."""

    pk: int
    condition: Condition
    people: frozenset[int]
    team_id: int | None
    method: str


def rules() -> tuple[Rule, ...]:
    """The active rules of the workspace in scope, in their order; parsed once per schema version.

    One that can't be read is left out: it must not keep leads from being created. An exception names it.
    """
    space = workspace()
    return _rules(space.pk, space.schema_version)


@lru_cache(maxsize=1000)
def _rules(workspace_id: int, schema_version: int) -> tuple[Rule, ...]:
    return tuple(filter(None, map(_read, AssignmentRule.objects.filter(is_active=True))))


def _read(rule: AssignmentRule) -> Rule | None:
    try:
        condition = parse(rule.condition, "lead")
    except ConditionError:
        return None
    return Rule(rule.pk, condition, frozenset(rule.people), rule.team_id, rule.method)
