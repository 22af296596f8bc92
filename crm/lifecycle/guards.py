"""Guards: conditions set by admins and enforced by every verb (source 002, before hooks)."""

from dataclasses import dataclass
from functools import lru_cache

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.entities.requirements import needed_at
from crm.entities.schema import schema
from crm.kit.errors import Invalid
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.lifecycle.axes import Axis, all_axes
from crm.lifecycle.models import Guard


@dataclass(frozen=True)
class Rule:
    """A compiled guard; `key` distinguishes guards with equal messages."""

    key: str
    verb: str
    condition: Condition
    message: str


@dataclass(frozen=True)
class Shipped:
    """A default guard of new workspaces."""

    entity: str
    verb: str
    condition: str
    message: str


_shipped: list[Shipped] = []


def ship_guard(entity: str, verb: str, condition: str, message: str) -> None:
    """Add a default guard to new workspaces; called by the app that owns its fields."""
    _shipped.append(Shipped(entity, verb, condition, message))


def install_shipped() -> None:
    Guard.objects.bulk_create(
        Guard(entity=g.entity, verb=g.verb, condition=g.condition, message=g.message, position=position)
        for position, g in enumerate(_shipped)
    )


@dataclass(frozen=True)
class UnreadableGuard:
    """A guard with an invalid condition: not enforced, noted on the record's page, and an exception."""

    verb: str
    message: str
    problem: str


def rules(entity: str) -> tuple[Rule, ...]:
    """Return an entity's active guards in the workspace in scope, in order; parsed once per schema version.

    Invalid ones are left out, so that they don't block all moves. See unreadable_guards().
    """
    space = workspace()
    return _rules(space.pk, space.schema_version, entity)[0]


def unreadable_guards(entity: str) -> tuple[UnreadableGuard, ...]:
    """Return an entity's active guards that are not enforced because they are invalid."""
    space = workspace()
    return _rules(space.pk, space.schema_version, entity)[1]


def field_rules(axis: Axis, to: str) -> list[Rule]:
    """Return a rule for each custom field that records need at the value `to`."""
    known = schema(axis.entity)
    if not known.required_at_stages or known.entity.stage != axis.field:
        return []
    sentence = _("Enter “{field}” before moving to {stage}.")
    return [
        Rule(
            f"field {field.key}",  # not a text
            "",
            parse(f"{field.key} is not empty", axis.entity),  # not a text
            sentence.format(field=field.label, stage=axis.value(to).label),
        )
        for field in needed_at(axis.entity, to)
    ]


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
    """Return the condition of `guard`.

    Raises Invalid per field: a verb without moves, an invalid condition, no message.
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
