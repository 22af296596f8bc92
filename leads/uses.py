"""References of assignment rules and the scoring model."""

from collections.abc import Iterator

from django.urls import reverse

from crm.conditions.uses import ConditionReference
from crm.entities.uses import ReferringModel, SettingUse, register
from crm.kit.translation import gettext as _
from crm.users.models import Team
from crm.users.team_uses import on_team_use
from leads.assignment.models import AssignmentRule
from leads.models import ScoringModel


def _rules() -> Iterator[SettingUse]:
    for rule in AssignmentRule.objects.all():
        url = reverse("assignment_rule", args=[rule.pk])
        condition = ConditionReference("lead", rule.condition, people=False)
        label = _("Assignment rule “{name}”").format(name=rule)
        yield SettingUse("assignment_rule", rule.pk, label, url, [condition], blocks=rule.is_active)


def _model() -> Iterator[SettingUse]:
    model = ScoringModel.objects.order_by("-version").first()
    if model:
        texts = [case["when"] for criterion in model.rules["fit"] for case in criterion["cases"]]
        conditions = [ConditionReference("lead", text, people=False) for text in texts]
        label = _("Scoring model “{name}”").format(name=model.name)
        yield SettingUse("scoring_model", model.pk, label, reverse("scoring_model"), conditions)


register(ReferringModel("assignment_rule", "leads.AssignmentRule", ("condition",), _rules))
register(ReferringModel("scoring_model", "leads.ScoringModel", ("rules",), _model))


@on_team_use
def _rules_of_team(team: Team) -> Iterator[tuple[str, str]]:
    for rule in AssignmentRule.objects.filter(team=team):
        yield _("Assignment rule “{name}”").format(name=rule), reverse("assignment_rule", args=[rule.pk])
