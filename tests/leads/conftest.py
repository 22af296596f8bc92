"""Assignment fixtures."""

from types import SimpleNamespace

import pytest

from crm.kit.actor import Channel, system
from crm.kit.scope import workspace
from leads.assignment.models import AssignmentRule
from leads.verbs.save_assignment_rule import save_assignment_rule
from leads.verbs.set_duties import set_duties


@pytest.fixture
def duty(cast, actor):
    """`duty(rep=(True, False))` sets members' pool and away state."""

    def set_for(**duties):
        return set_duties({getattr(cast, who).pk: values for who, values in duties.items()}, by=actor("admin"))

    return set_for


@pytest.fixture
def rule(cast, actor):
    """`rule("source = Web", "rep", "mate")` assigns leads matching the condition to these members."""

    def save(condition: str, *people: str, **values) -> AssignmentRule:
        values = {"people": [getattr(cast, who).pk for who in people], "name": condition} | values
        return save_assignment_rule(AssignmentRule(condition=condition, **values), by=actor("admin"))

    return save


@pytest.fixture
def machine(cast) -> SimpleNamespace:
    """Return actors outside the cast: the system, and a system import."""
    return SimpleNamespace(act=lambda: system(workspace().pk), imports=lambda: system(workspace().pk, Channel.IMPORT))
