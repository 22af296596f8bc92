"""Guards: conditions that admins edit and every verb obeys (source 002, before hooks)."""

from dataclasses import dataclass
from functools import lru_cache

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.errors import Invalid
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import all_axes
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


def ship_guard(entity: str, verb: str, condition: str, message: str) -> None:
    """Let every new workspace start with this guard; the app that owns the fields it names registers it."""
    _shipped.append(Shipped(entity, verb, condition, message))


def install_shipped() -> None:
    Guard.objects.bulk_create(
        Guard(entity=g.entity, verb=g.verb, condition=g.condition, message=g.message, position=position)
        for position, g in enumerate(_shipped)
    )


@dataclass(frozen=True)
class UnreadableGuard:
    """A guard whose condition can't be read: it is not checked, which the record's page says, and an exception."""

    verb: str
    message: str
    problem: str


def rules(entity: str) -> tuple[Rule, ...]:
    """The active guards of an entity in the workspace in scope, in their order; parsed once per schema version.

    One that can't be read is left out: it must not keep everybody from moving records. See unreadable_guards().
    """
    space = workspace()
    return _rules(space.pk, space.schema_version, entity)[0]


def unreadable_guards(entity: str) -> tuple[UnreadableGuard, ...]:
    """The active guards of an entity that are not checked, because they can't be read."""
    space = workspace()
    return _rules(space.pk, space.schema_version, entity)[1]


@lru_cache(maxsize=1000)
def _rules(workspace_id: int, schema_version: int, entity: str) -> tuple[tuple[Rule, ...], tuple[UnreadableGuard, ...]]:
    guards = [_read(guard) for guard in Guard.objects.filter(entity=entity, is_active=True)]
    readable = tuple(guard for guard in guards if isinstance(guard, Rule))
    return readable, tuple(guard for guard in guards if isinstance(guard, UnreadableGuard))


def _read(guard: Guard) -> Rule | UnreadableGuard:
    try:
        return Rule(str(guard.pk), guard.verb, parse(guard.condition, guard.entity), guard.message)
    except ConditionError as error:
        return UnreadableGuard(guard.verb, guard.message, str(error))


def check_guard(guard: Guard) -> Condition:
    """What `guard` asks.

    Raises Invalid per field: a verb that moves nothing, a condition that cannot be read, no message.
    """
    errors = {}
    verbs = {move.verb for axis in all_axes() if axis.entity == guard.entity for move in axis.moves}
    if guard.verb not in verbs:
        errors["verb"] = _wrong_verb(guard, sorted(verbs))
    if not guard.message.strip():
        errors["message"] = _("Enter an error message.")
    if len(guard.message) > 200:
        errors["message"] = _("Enter up to 200 characters.")
    if not guard.condition.strip():
        errors["condition"] = _("Enter a condition, e.g. email is not empty.")
    try:
        condition = parse(guard.condition, guard.entity)
    except KeyError:
        errors["entity"] = _("“{name}” isn’t a type of record.").format(name=guard.entity)
    except ConditionError as error:
        errors["condition"] = str(error)
    if errors:
        raise Invalid(errors)
    return condition


def _wrong_verb(guard: Guard, verbs: list[str]) -> str:
    if not verbs:
        return _("Records of type “{name}” have no stages.").format(name=guard.entity)
    sentence = _("“{name}” isn’t an action of this type of record. Choose from {actions}.")
    return sentence.format(name=guard.verb, actions=", ".join(verbs))
