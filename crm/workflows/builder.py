"""The workflow builder's form: posted data as a draft, and the draft as form context.

Every button submits the whole form, so that it works without scripts and no partial workflow is stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from crm.kit.actor import Role
from crm.kit.translation import gettext as _
from crm.users.models import Membership
from crm.workflows import steps as kinds
from crm.workflows.params import Param, Values
from crm.workflows.triggers import KINDS_OF_TRIGGER, entities

Draft = dict[str, Any]
BLANK: Draft = {
    "name": "",
    "owner": "",
    "trigger": {"kind": "transition", "entity": "contact"},
    "condition": "",
    "steps": [],
}


def posted(data: QueryDict) -> Draft:
    """Return the form's data as a draft, valid or not."""
    number = data.get("steps", "")
    count = int(number) if number.isdecimal() else 0
    return {
        "name": data.get("name", ""),
        "owner": data.get("owner", ""),
        "trigger": _below(data, "trigger-"),
        "condition": data.get("condition", ""),
        "steps": [_below(data, f"step-{index}-") for index in range(min(count, 100))],
    }


def _below(data: QueryDict, prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): data.get(name, "") for name in data if name.startswith(prefix)}


def rearranged(draft: Draft, do: str, add: str) -> Draft:
    """Return the draft after a step button: add, remove-2, up-2, down-2."""
    steps, (verb, _, place) = list(draft["steps"]), do.partition("-")
    at = int(place) if place.isdecimal() else len(steps)
    if verb == "add" and (kind := kinds.step_kind(add)):
        steps.append({"kind": kind.name} | {param.key: param.default for param in kind.params})
        steps += [{"kind": "end"}] if kind.depth == 1 else []
    elif verb == "remove" and at < len(steps):
        del steps[at]
    elif verb in ("up", "down") and at < len(steps):
        other = at - 1 if verb == "up" else at + 1
        if 0 <= other < len(steps):
            steps[at], steps[other] = steps[other], steps[at]
    return draft | {"steps": steps}


def draft_context(draft: Draft, errors: Mapping[str, str]) -> dict[str, Any]:
    """Return the draft for the page, each field with its choices and errors."""
    trigger = draft["trigger"]
    entity = trigger.get("entity") if trigger.get("entity") in dict(entities()) else "contact"
    kind = KINDS_OF_TRIGGER.get(trigger.get("kind", ""), KINDS_OF_TRIGGER["transition"])
    return {
        "name": draft["name"],
        "owner": str(draft["owner"]),
        "owners": _owners(),
        "entity": entity,
        "entities": entities(),
        "kind": kind.name,
        "kinds": [(each.name, each.label) for each in KINDS_OF_TRIGGER.values()],
        "params": _params(kind.params, trigger, entity, "trigger", errors),
        "condition": draft["condition"],
        "steps": _steps(draft["steps"], entity, errors),
        "addable": [(each.name, each.label) for each in kinds.kinds_for(entity)],
        "errors": errors,
        "other_errors": [
            text for key, text in errors.items() if not key.startswith(("trigger-", "step-")) and key not in OWN_PLACE
        ],
    }


OWN_PLACE = ("name", "owner", "condition")


def _owners() -> list[tuple[str, str]]:
    members = Membership.objects.active().exclude(role=Role.VIEWER).select_related("user").order_by("user__name", "pk")
    return [(str(member.pk), str(member)) for member in members]


def _steps(steps: Sequence[Values], entity: str, errors: Mapping[str, str]) -> list[dict[str, Any]]:
    found, depth = [], 0
    for index, step in enumerate(steps):
        kind = kinds.step_kind(str(step.get("kind", "")))
        depth -= 1 if kind and kind.depth in (0, -1) else 0
        found.append(
            {
                "place": index,
                "number": index + 1,
                "kind": step.get("kind", ""),
                "label": kind.label if kind else _("Unknown action"),
                "icon": kind.icon if kind else "circle-help",
                "depth": max(depth, 0),
                "params": _params(kind.params, step, entity, f"step-{index}", errors) if kind else [],
                "error": errors.get(f"step-{index}", ""),
                "is_last": index == len(steps) - 1,
            }
        )
        depth += 1 if kind and kind.depth in (0, 1) else 0
    return found


def _params(params: Sequence[Param], values: Values, entity: str, prefix: str, errors: Mapping[str, str]) -> list[dict]:
    return [
        {
            "name": f"{prefix}-{param.key}",
            "label": param.label,
            "kind": param.kind,
            "value": str(values.get(param.key, param.default)),
            "options": param.options(entity),
            "required": param.required,
            "help": param.help,
            "error": errors.get(f"{prefix}-{param.key}", ""),
        }
        for param in params
    ]
