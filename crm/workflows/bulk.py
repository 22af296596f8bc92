"""Run a workflow manually on the records selected in a list."""

from functools import partial
from typing import Any

from django import forms

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext_lazy as _
from crm.lists.spec import BulkAction, add_action
from crm.records.forms import CHOOSE
from crm.workflows.models import Workflow
from crm.workflows.panels import by_hand
from crm.workflows.triggers import entities
from crm.workflows.verbs.start_workflow import start_workflow


def _start(rows: Any, values: dict, by: Actor) -> Outcome:
    return start_workflow(rows, Workflow.objects.get(public_id=values["workflow"]), by=by)


def _form(entity: str, by: Actor) -> type[forms.Form]:
    class WorkflowForm(forms.Form):
        workflow = forms.ChoiceField(label=_("Workflow"), choices=[CHOOSE, *by_hand(entity)])

    return WorkflowForm


def _any(entity: str) -> bool:
    return bool(by_hand(entity))


def offer() -> None:
    """Add the action to the lists of all entities that support workflows."""
    for entity, _label in entities():
        form, offered = partial(_form, entity), partial(_any, entity)
        action = BulkAction("workflow", _("Run workflow"), "workflow", _start, form, _("Started"), offered=offered)
        add_action(entity, action)
