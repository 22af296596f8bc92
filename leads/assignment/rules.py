"""The compiled assignment rules of a workspace."""

from dataclasses import dataclass
from functools import lru_cache

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.scope import workspace
from leads.assignment.models import AssignmentRule


@dataclass(frozen=True)
class Rule:
    """An active rule with its condition parsed; `people` are membership keys."""

    pk: int
    condition: Condition
    people: frozenset[int]
    team_id: int | None
    method: str


def rules() -> tuple[Rule, ...]:
    """Return the active rules of the workspace in scope, in order; parsed once per schema version.

    Invalid rules are skipped, so that leads can still be created, and listed as exceptions.
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
