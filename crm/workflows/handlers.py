"""Event handlers of workflows: start runs, advance due runs, run outward steps."""

from crm.events.handlers import handles
from crm.kit.actor import Actor
from crm.workflows.active_workflows import has_active_workflow
from crm.workflows.running import advance, reach_out
from crm.workflows.start_runs import start_runs_for_event
from crm.workflows.triggers import Occurrence, waits_for_release


@handles(queue="workflows", when=has_active_workflow)
def start_runs(event, *, by: Actor) -> None:
    """Start the runs triggered by an event, once each, by their key."""
    happening = Occurrence.of_event(event)
    if not waits_for_release(happening):
        start_runs_for_event(happening)


@handles("workflow_run.due", queue="workflows")
def go_on(event, *, by: Actor) -> None:
    advance(event.entity_id)


@handles("workflow_run.outward", queue="webhooks", outward=True)
def send_out(event, *, by: Actor) -> None:
    """Run the outward step (email or webhook) at a run's position."""
    reach_out(event.entity_id)
