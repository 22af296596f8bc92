"""Validation of workflow definitions: each error has a message, and an invalid definition is never saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse, sentence_of
from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.workflows import steps as kinds
from crm.workflows.params import Values, check_params
from crm.workflows.triggers import KINDS_OF_TRIGGER, entities, trigger_kind

MOST_STEPS = 40
DEEPEST = 5


@dataclass(frozen=True)
class Definition:
    """A trigger, a condition (by key, '' for none) and steps, as stored in a version."""

    trigger: dict[str, Any]
    condition: str
    steps: list[dict[str, Any]]

    @property
    def entity(self) -> str:
        return self.trigger["entity"]


def checked(trigger: Values, condition: str, steps: Sequence[Values]) -> Definition:
    """Return the validated definition. Raises Invalid by 'trigger', 'condition' or 'step-<n>', with the parameter."""
    errors: dict[str, str] = {}
    cleaned = _known(trigger)
    entity = cleaned["entity"]
    try:
        cleaned |= check_trigger(trigger)
    except Invalid as error:
        errors |= {f"trigger-{key}": sentence for key, sentence in error.errors.items()}
    try:
        condition = parse(condition.strip(), entity, people=False).key_text
    except ConditionError as error:
        errors["condition"] = str(error)
    found = [_step(step, index, entity, errors) for index, step in enumerate(steps)]
    errors |= _blocks(found)
    if errors:
        raise Invalid(errors)
    return Definition(cleaned, condition, found)


def check_trigger(trigger: Values) -> dict[str, Any]:
    """Return a trigger's cleaned parameters. Raises Invalid with a message per invalid parameter."""
    known = _known(trigger)
    return check_params(KINDS_OF_TRIGGER[known["kind"]].params, trigger, known["entity"])


def _known(trigger: Values) -> dict[str, Any]:
    kind, entity = trigger.get("kind"), str(trigger.get("entity", ""))
    if entity not in dict(entities()) or kind not in KINDS_OF_TRIGGER:
        raise Invalid({"trigger": _("Choose a trigger and a record type.")})
    return {"kind": kind, "entity": entity}


def _step(step: Values, place: int, entity: str, errors: dict[str, str]) -> dict[str, Any]:
    kind = kinds.step_kind(str(step.get("kind", "")))
    if kind is None or kind not in kinds.kinds_for(entity):
        errors[f"step-{place}"] = _("This action isn’t available for this record type. Remove it.")
        return {"kind": ""}
    try:
        values = check_params(kind.params, step, entity)
        kind.check(values, entity)
    except Invalid as error:
        errors |= {f"step-{place}-{key}": sentence for key, sentence in error.errors.items()}
        return {"kind": kind.name}
    return {"kind": kind.name} | values


def _blocks(steps: Sequence[Values]) -> dict[str, str]:
    if not steps:
        return {"steps": _("Add at least one action.")}
    if len(steps) > MOST_STEPS:
        sentence = ngettext(
            "A workflow can have {count} action.", "A workflow can have up to {count} actions.", MOST_STEPS
        )
        return {"steps": sentence.format(count=formats.number(MOST_STEPS))}
    opened: list[str] = []
    for index, step in enumerate(steps):
        name = step["kind"]
        if name == "branch":
            opened.append(name)
        elif name in ("otherwise", "end") and (not opened or (name == "otherwise" and opened[-1] == name)):
            return {f"step-{index}": _("This step isn’t inside an If branch.")}
        elif name == "otherwise":
            opened[-1] = name
        elif name == "end":
            opened.pop()
        if len(opened) > DEEPEST:
            return {f"step-{index}": _too_deep()}
    return {"steps": _("A branch isn’t closed. Add “End if” where all records continue.")} if opened else {}


def _too_deep() -> str:
    return ngettext(
        "Branches can be nested {count} level deep. Move this into a separate workflow.",
        "Branches can be nested up to {count} levels deep. Move this into a separate workflow.",
        DEEPEST,
    ).format(count=formats.number(DEEPEST))


def spoken(definition: Any) -> str:
    """Describe the trigger and the condition of a definition or a version."""
    try:
        opening = trigger_kind(definition.trigger).sentence(definition.trigger)
    except KeyError:  # of an app that was removed
        opening = _("Unknown trigger")
    if not definition.condition:
        return opening
    condition = sentence_of(definition.condition, definition.trigger["entity"])
    return _("{trigger}, if {condition}").format(trigger=opening, condition=condition)


@dataclass(frozen=True)
class StepLine:
    """A step for display: text, icon and indentation."""

    position: int
    text: str
    icon: str
    depth: int


def lines(definition: Any) -> list[StepLine]:
    found, depth = [], 0
    for position, step in enumerate(definition.steps):
        kind = kinds.step_kind(step["kind"])
        change = kind.depth if kind and kind.depth is not None else None
        depth -= 1 if change in (0, -1) else 0
        text = kind.sentence(step, definition.trigger["entity"]) if kind else step["kind"]
        found.append(StepLine(position, text, kind.icon if kind else "circle-help", max(depth, 0)))
        depth += 1 if change in (0, 1) else 0
    return found


def summary(definition: Any) -> str:
    """Describe the trigger, the condition and the actions in one line."""
    actions = zip(definition.steps, lines(definition), strict=True)
    return " → ".join([spoken(definition), *(line.text for step, line in actions if step["kind"] != "end")])
