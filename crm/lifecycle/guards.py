"""Guards: conditions that admins edit and every verb obeys (source 002, before hooks)."""

from dataclasses import dataclass
from functools import lru_cache

from crm.conditions.condition import Condition
from crm.conditions.parse import parse
from crm.kit.scope import workspace
from crm.lifecycle.models import Guard


@dataclass(frozen=True)
class Rule:
    """A guard ready for use; `key` tells it from others with the same message."""

    key: str
    verb: str
    condition: Condition
    message: str


@dataclass(frozen=True)
class Shipped:
    """A guard that a new workspace starts with."""

    entity: str
    verb: str
    condition: str
    message: str


_shipped: list[Shipped] = []


def ship(entity: str, verb: str, condition: str, message: str) -> None:
    """Let every new workspace start with this guard; the app that owns the fields it names registers it."""
    _shipped.append(Shipped(entity, verb, condition, message))


def install_shipped() -> None:
    """Give the workspace in scope the shipped guards."""
    Guard.objects.bulk_create(
        Guard(entity=g.entity, verb=g.verb, condition=g.condition, message=g.message, position=position)
        for position, g in enumerate(_shipped)
    )


def rules(entity: str) -> tuple[Rule, ...]:
    """The active guards of an entity in the workspace in scope, in their order; parsed once per schema version."""
    space = workspace()
    return _rules(space.pk, space.schema_version, entity)


@lru_cache(maxsize=1000)
def _rules(workspace_id: int, schema_version: int, entity: str) -> tuple[Rule, ...]:
    guards = Guard.objects.filter(entity=entity, is_active=True)
    return tuple(Rule(str(guard.pk), guard.verb, parse(guard.condition, entity), guard.message) for guard in guards)
