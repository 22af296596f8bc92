"""Workflow fixtures, and the engine that runs them."""

import pytest

from crm.events.engine import drain
from crm.users.models import Membership
from crm.workflows.models import Run, Workflow
from crm.workflows.verbs.save_workflow import save_workflow
from crm.workflows.verbs.switch_workflow import switch_workflow


def task(subject: str = "Follow up with {name}", **values) -> dict:
    given = {"kind": "activity", "activity": "task", "subject": subject, "priority": "high", "who": "record_owner"}
    return given | values


def set_field(field: str, value: str) -> dict:
    return {"kind": "change_field", "field": field, "value": value}


def becomes(value: str, field: str = "lifecycle_stage", entity: str = "contact") -> dict:
    """Return the trigger of a transition."""
    return {"kind": "transition", "entity": entity, "to": f"{field}={value}"}


def changes(field: str) -> dict:
    """Return the trigger of a contact's field."""
    return {"kind": "field", "entity": "contact", "field": field}


def make_flow(by, trigger: dict, *steps: dict, condition="", name="Flow", owner: Membership | None = None, on=True):
    """Create a workflow as an admin, turned on."""
    facts = {"trigger": trigger, "condition": condition, "steps": steps}
    made = save_workflow(Workflow(), name=name, owner=owner.pk if owner else by.member_id, by=by, **facts)
    if on:
        switch_workflow(made, True, by=by)
    return Workflow.objects.get(pk=made.pk)


@pytest.fixture
def flow(acme, actor):
    """`flow(trigger, step, …, condition=, owner=, on=)` creates an active workflow of the admin's."""

    def made(trigger: dict, *steps: dict, **options) -> Workflow:
        return make_flow(actor("admin"), trigger, *steps, **options)

    return made


@pytest.fixture
def engine(acme):
    """`engine()` runs the engine until nothing is due and returns the runs, oldest first."""

    def ran() -> list[Run]:
        drain()
        return list(Run.objects.select_related("workflow").order_by("pk"))

    return ran
