"""What the engine tells workflows: something happened that one may answer to, a run is due, a run reaches out."""

from crm.events.handlers import handles
from crm.kit.actor import Actor
from crm.workflows.active_workflows import has_active_workflow
from crm.workflows.running import advance, reach_out
from crm.workflows.start_runs import start_runs_for_event
from crm.workflows.triggers import Occurrence, waits_for_release


@handles(queue="workflows", when=has_active_workflow)
def start_runs(event, *, by: Actor) -> None:
    """Begin the runs that answer to an event; once each, by their key."""
    happening = Occurrence.of_event(event)
    if not waits_for_release(happening):
        start_runs_for_event(happening)


@handles("workflow_run.due", queue="workflows")
def go_on(event, *, by: Actor) -> None:
    """Take a run through its next steps."""
    advance(event.entity_id)


@handles("workflow_run.outward", queue="webhooks", outward=True)
def send_out(event, *, by: Actor) -> None:
    """Send what a run stands at: a mail, a webhook."""
    reach_out(event.entity_id)
