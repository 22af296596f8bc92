"""Create or edit an assignment rule."""

from django.db import transaction

from audit.record import record, update_and_record
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.conditions.tree import AnyRow, Kind, Node, leaves
from crm.entities.versions import bump_schema, lock_settings
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.models import Membership, Team
from leads.assignment.models import AssignmentRule

KEPT = ("name", "condition", "people", "team", "method", "position", "is_active")


@transaction.atomic
def save_assignment_rule(rule: AssignmentRule, *, by: Actor) -> AssignmentRule:
    """Save `rule`, new or changed, for leads created from then on. Admins only.

    Raises NotAllowed, and Invalid per field: no name, a condition that is invalid or depends on the viewer, no
    assignees, assignees who are inactive or may not edit records.
    """
    lock_settings(by)
    _check(rule)
    if rule.pk:
        values = {key: getattr(rule, key) for key in KEPT}
        update_and_record("assignment_rule.updated", AssignmentRule.objects.filter(pk=rule.pk), values, by=by)
    else:
        rule.save()
        record("assignment_rule.created", AssignmentRule.objects.filter(pk=rule.pk), by=by, snapshot=KEPT)
    bump_schema()
    return rule


def _check(rule: AssignmentRule) -> None:
    errors = {}
    rule.name = rule.name.strip()
    if not 0 < len(rule.name) <= 80:
        errors["name"] = _("Enter a name of up to 80 characters.")
    try:
        condition = parse(rule.condition, "lead")
        rule.condition = condition.key_text
        if not rule.condition.strip():
            errors["condition"] = _("Enter a condition, e.g. source = Trade fair.")
        elif _asks_who_looks(condition.root):
            errors["condition"] = _("“me” and “my team” can’t be used in assignment rules.")
    except ConditionError as error:
        errors["condition"] = str(error)
    if errors | _about_people(rule):
        raise Invalid(errors | _about_people(rule))


def _asks_who_looks(root: Node) -> bool:
    for leaf in leaves(root):
        if isinstance(leaf, AnyRow):
            if _asks_who_looks(leaf.part):
                return True
        elif any(operand.kind in (Kind.ME, Kind.MY_TEAM) for operand in leaf.operands):
            return True
    return False


def _about_people(rule: AssignmentRule) -> dict[str, str]:
    rule.people = sorted(set(rule.people))
    active = Membership.objects.active().exclude(role=Role.VIEWER).filter(pk__in=rule.people)
    if active.count() < len(rule.people):
        return {"people": _("At least one of these people is inactive or can’t edit records.")}
    if rule.team_id and not Team.objects.live().filter(pk=rule.team_id).exists():
        return {"team": _("Team not found. Choose another one.")}
    return {} if rule.people or rule.team_id else {"people": _("Choose at least one person or a team.")}
