"""The model workbench's form: scoring rules to text fields and back."""

from collections.abc import Mapping
from typing import Any

from contacts.engagement import KINDS
from crm.kit import formats
from leads.models import ScoringModel
from leads.scoring.rules import THRESHOLDS, WEIGHTS

BLANK = {"when": "", "points": ""}


def posted(data: Mapping[str, str]) -> dict[str, Any]:
    """Return the form's name, half_life and rules, without emptied cases and criteria."""
    fit = []
    for index in range(_count(data, "fit-{}-label")):
        cases = [
            {
                "when": data.get(f"fit-{index}-{n}-when", "").strip(),
                "points": _number(data.get(f"fit-{index}-{n}-points", "")),
            }
            for n in range(_count(data, f"fit-{index}-{{}}-when"))
        ]
        cases = [case for case in cases if case["when"] or case["points"] != ""]
        label = data.get(f"fit-{index}-label", "").strip()
        if label or cases:
            fit.append({"label": label, "cases": cases})
    points = {kind: _number(data.get(f"engagement-{kind}", "")) for kind in KINDS}
    return {
        "name": data.get("name", ""),
        "half_life": _number(data.get("half_life", "")),
        "rules": {
            "fit": fit,
            "engagement": {kind: given for kind, given in points.items() if given != ""},
            "weights": {key: _number(data.get(f"weight-{key}", "")) for key in WEIGHTS},
            "thresholds": {key: _number(data.get(f"threshold-{key}", "")) for key in THRESHOLDS},
        },
    }


def saved(model: ScoringModel) -> dict[str, Any]:
    return {"name": model.name, "half_life": model.half_life, "rules": model.rules}


def form_context(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page's fields, with a blank case per criterion and a blank criterion at the end."""
    rules = values["rules"]
    fit = [*rules["fit"], {"label": "", "cases": [BLANK]}]
    return {
        "name": values["name"],
        "example": "fleet_size >= 500",
        "half_life": values["half_life"],
        "fit": [
            {"place": index, "label": each["label"], "cases": list(enumerate([*each["cases"], BLANK]))}
            for index, each in enumerate(fit)
        ],
        "engagement": [(kind, told.label, rules["engagement"].get(kind, "")) for kind, told in KINDS.items()],
        "weights": _labelled(WEIGHTS, rules["weights"]),
        "thresholds": _labelled(THRESHOLDS, rules["thresholds"]),
    }


def _labelled(names: Mapping[str, str], held: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    return [(key, label, held.get(key, "")) for key, label in names.items()]


def _count(data: Mapping[str, str], name: str) -> int:
    place = 0
    while name.format(place) in data and place < 100:
        place += 1
    return place


def _number(text: str) -> Any:
    """Parse a number; return other text unchanged, to be rejected by the rules."""
    text = formats.read_number(text.strip().replace("−", "-"))
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
