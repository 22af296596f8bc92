"""The rules of a scoring model, parsed from its data: fit criteria, engagement points and thresholds.

    {"fit": [{"label": "Fleet size", "cases": [{"when": "fleet_size >= 250", "points": 40}, …]}, …],
     "engagement": {"demo_request": 40, …},
     "weights": {"fit": 0.6, "engagement": 0.4},
     "thresholds": {"marketing_qualified": 40, "sales_qualified": 70}}

`when` is a condition over leads. A criterion gives the points of its first matching case, otherwise 0.

Why: docs/decisions/0035-scoring-models-are-versioned-data.md
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.functions import Greatest, Least

from contacts.engagement import KINDS
from crm.conditions.compile import Viewer
from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.conditions.tree import AnyRow, Kind, leaves
from crm.entities import registry
from crm.entities.sql import Total
from crm.kit import formats
from crm.kit.errors import Invalid
from crm.kit.translation import gettext, ngettext
from crm.kit.translation import gettext_lazy as _

MOST_FIT, MOST_ENGAGEMENT = 60, 100  # caps in a score
MOST_POINTS = 100  # per case or event
SHORTEST, LONGEST = 7, 3650  # half-lives, in days: with a shorter one sums would overflow a float within twenty years
WEIGHTS = {"fit": _("Fit weight"), "engagement": _("Engagement weight")}
THRESHOLDS = {
    "marketing_qualified": _("Marketing Qualified threshold"),
    "sales_qualified": _("Sales Qualified threshold"),
}
# Fields derived from the score cannot be criteria.
FOLLOWS = {"qualification_score", "fit_score", "engagement_score", "lead_score", "stage", "stage_since"}


@dataclass(frozen=True)
class CriterionCase:
    """A case of a criterion: its condition and points."""

    when: Condition
    points: int


@dataclass(frozen=True)
class Criterion:
    """A fit criterion."""

    label: str
    cases: tuple[CriterionCase, ...]

    @property
    def most(self) -> int:
        return max((0, *(case.points for case in self.cases)))

    def expression(self, now: datetime) -> Case:
        whens = (When(Q(case.when.expression(Viewer(), now)), then=Value(case.points)) for case in self.cases)
        return Case(*whens, default=Value(0), output_field=IntegerField())

    def place(self, now: datetime) -> Case:
        """Return the index of the first matching case over leads; −1 for none."""
        cases = enumerate(self.cases)
        whens = (When(Q(case.when.expression(Viewer(), now)), then=Value(number)) for number, case in cases)
        return Case(*whens, default=Value(-1), output_field=IntegerField())


@dataclass(frozen=True)
class Rules:
    """A model's rules. Weights are tenths (6 and 4), thresholds tenths of a point (400 and 700), ascending."""

    fit: tuple[Criterion, ...]
    engagement: Mapping[str, int]
    fit_weight: int
    engagement_weight: int
    thresholds: tuple[int, int]

    def tenths(self, fit: int, engagement: int) -> int:
        return fit * self.fit_weight + engagement * self.engagement_weight

    @property
    def most_fit(self) -> int:
        return min(MOST_FIT, sum(criterion.most for criterion in self.fit))

    @property
    def most(self) -> int:
        """The highest possible score, in tenths."""
        return self.tenths(self.most_fit, MOST_ENGAGEMENT if any(p > 0 for p in self.engagement.values()) else 0)

    def fit_expression(self, now: datetime) -> Any:
        """Return the fit of leads, 0–60."""
        points: list[Any] = [criterion.expression(now) for criterion in self.fit] or [Value(0)]
        return Least(Greatest(Total(*points), Value(0)), Value(MOST_FIT))

    @cached_property
    def reads(self) -> frozenset[str]:
        """Return the entities whose fields the criteria read, directly or over the lead's contact; "" if changes to
        what they read trigger no event: time, and rows at the end of other links.
        """
        return frozenset(_source(leaf) for c in self.fit for case in c.cases for leaf in leaves(case.when.root))


def _source(leaf: Any) -> str:
    moves = {Kind.TODAY, Kind.AGO, Kind.FROM_NOW} & {operand.kind for operand in getattr(leaf, "operands", ())}
    if isinstance(leaf, AnyRow) or moves or leaf.path.field.expression or leaf.path.field.rows:
        return ""
    return {(): "lead", ("contact",): "contact", ("contact", "company"): "company"}.get(
        tuple(field.key for field in leaf.path.fields[:-1]), ""
    )


def read_rules(data: Mapping[str, Any], half_life: Any, *, skip_unreadable: bool = False) -> Rules:
    """Parse rules. Raises Invalid with a message per error, by its place ("fit.0.label").

    `skip_unreadable`: drop cases with an invalid condition, for a model that was valid when saved.
    """
    errors: dict[str, str] = {}
    fit = tuple(_criteria(data.get("fit"), errors))
    if skip_unreadable:
        errors = {key: sentence for key, sentence in errors.items() if not key.endswith(".when")}
    points = dict(_events(data.get("engagement"), errors))
    weights = [_tenths(data, "weights", key, label, errors) for key, label in WEIGHTS.items()]
    limits = [_tenths(data, "thresholds", key, label, errors) for key, label in THRESHOLDS.items()]
    if not errors and sum(weights) != 10:
        errors["weights"] = gettext("The weights must add up to 1, e.g. 0.6 and 0.4.")
    if not errors and not 0 < limits[0] < limits[1] <= 1000:
        errors["thresholds"] = gettext(
            "Marketing Qualified must start above 0, and Sales Qualified above that, up to 100."
        )
    if type(half_life) is not int or not SHORTEST <= half_life <= LONGEST:
        limits_of_days = {"least": formats.number(SHORTEST), "most": formats.number(LONGEST)}
        errors["half_life"] = gettext("Enter a half-life of {least} to {most} whole days.").format(**limits_of_days)
    if errors:
        raise Invalid(errors)
    return Rules(fit, points, weights[0], weights[1], (limits[0], limits[1]))


def by_key(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return rules that read_rules() accepts for storage: conditions by field key, which survives renamed labels."""
    fit = [{**each, "cases": [_stored(case) for case in each["cases"]]} for each in data["fit"]]
    return {**data, "fit": fit}


def _stored(case: Mapping[str, Any]) -> dict[str, Any]:
    return {**case, "when": parse(case["when"], "lead", people=False).key_text}


def _criteria(data: Any, errors: dict[str, str]) -> Iterator[Criterion]:
    if not isinstance(data, list):
        errors["fit"] = gettext("Fit criteria must be a list.")
        return
    for index, each in enumerate(data):
        path = f"fit.{index}"
        label = each.get("label") if isinstance(each, dict) else None
        cases = each.get("cases") if isinstance(each, dict) else None
        if not isinstance(label, str) or not label.strip() or len(label) > 60:
            errors[f"{path}.label"] = gettext("Enter a name of up to 60 characters for each criterion.")
        elif not isinstance(cases, list) or not cases:
            sentence = gettext("{criterion} has no conditions. Add a condition and its points.")
            errors[f"{path}.cases"] = sentence.format(criterion=label)
        else:
            found = [_given(case, f"{path}.cases.{number}", label, errors) for number, case in enumerate(cases)]
            yield Criterion(label.strip(), tuple(case for case in found if case))


def _given(data: Any, here: str, label: str, errors: dict[str, str]) -> CriterionCase | None:
    text, points = (data.get("when"), data.get("points")) if isinstance(data, dict) else (None, None)
    if type(points) is not int or abs(points) > MOST_POINTS:
        errors[f"{here}.points"] = _points_message(label)
        return None
    if not isinstance(text, str) or not text.strip():
        sentence = ngettext(
            "{criterion}: enter a condition for {points} point, e.g. fleet_size >= 50.",
            "{criterion}: enter a condition for {points} points, e.g. fleet_size >= 50.",
            abs(points),
        )
        errors[f"{here}.when"] = sentence.format(criterion=label, points=points)
        return None
    try:
        condition = parse(text, "lead", people=False)
    except ConditionError as error:
        errors[f"{here}.when"] = gettext("{criterion}: {problem}").format(criterion=label, problem=error)
        return None
    if circular := {key for path in condition.fields() for key in path.split(".")} & FOLLOWS:
        name = registry.get("lead").fields.get(min(circular))
        told = name.label if name else gettext("Lead score")
        sentence = gettext("{criterion} can’t use {field}, which depends on the score.")
        errors[f"{here}.when"] = sentence.format(criterion=label, field=told)
        return None
    return CriterionCase(condition, points)


def _points_message(name: str) -> str:
    sentence = gettext("{name}: points must be a whole number from −{most} to {most}.")
    return sentence.format(name=name, most=MOST_POINTS)


def _events(data: Any, errors: dict[str, str]) -> Iterator[tuple[str, int]]:
    if not isinstance(data, dict):
        errors["engagement"] = gettext("Engagement points must be given for each kind of event.")
        return
    for kind, points in data.items():
        if kind not in KINDS:
            sentence = gettext("“{kind}” isn’t a kind of event. Choose one of: {kinds}.")
            errors[f"engagement.{kind}"] = sentence.format(kind=kind, kinds=", ".join(KINDS))
        elif type(points) is not int or abs(points) > MOST_POINTS:
            errors[f"engagement.{kind}"] = _points_message(KINDS[kind].label)
        else:
            yield kind, points


def _tenths(data: Mapping[str, Any], group: str, key: str, label: str, errors: dict[str, str]) -> int:
    held = data.get(group)
    value: Any = held.get(key) if isinstance(held, dict) else None
    if type(value) not in (int, float) or not 0 <= value <= 100 or abs(value * 10 - round(value * 10)) > 1e-9:
        sentence = gettext("{field} must be a number with at most one decimal.")
        errors[f"{group}.{key}"] = sentence.format(field=label)
        return 0
    return round(value * 10)
