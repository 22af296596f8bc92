"""Starting a workflow by hand on the records ticked in a list."""

from dataclasses import replace
from functools import partial
from typing import Any

from django import forms

from contacts.forms import CHOOSE
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lists.spec import BulkAction, register, spec_of
from crm.workflows.models import Workflow
from crm.workflows.panels import by_hand
from crm.workflows.triggers import entities
from crm.workflows.verbs.start_workflow import start_workflow


def _start(rows: Any, values: dict, by: Actor) -> Outcome:
    return start_workflow(rows, Workflow.objects.get(public_id=values["workflow"]), by=by)


def _form(entity: str, by: Actor) -> type[forms.Form]:
    """Which one."""

    class WorkflowForm(forms.Form):
        workflow = forms.ChoiceField(label="Workflow", choices=[CHOOSE, *by_hand(entity)])

    return WorkflowForm


def _any(entity: str) -> bool:
    return bool(by_hand(entity))


def offer() -> None:
    """Add the action to the list of every kind of record that workflows are about."""
    for entity, _ in entities():
        spec = spec_of(entity)
        action = BulkAction(
            "workflow", "Workflow", "workflow", _start, partial(_form, entity), "Started", offered=partial(_any, entity)
        )
        register(replace(spec, actions=(*spec.actions, action)))
