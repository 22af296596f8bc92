"""Start a workflow by hand."""

from django.db import transaction

from audit.record import record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.outcome import Outcome
from crm.users.visibility import RecordQuerySet, lock
from crm.workflows.active_workflows import active_workflows
from crm.workflows.models import Workflow
from crm.workflows.start_runs import DueRun, matching_records, start_runs


@transaction.atomic
def start_workflow(records: RecordQuerySet, workflow: Workflow, *, by: Actor) -> Outcome:
    """Run a switched-on workflow that is started by hand on those of `records` that `by` may change.

    Raises Refused for a workflow that is not (any more) started so.
    """
    each = next((each for each in active_workflows() if each.workflow == workflow.pk), None)
    if each is None or each.trigger["kind"] != "manual":
        raise Refused(f"“{workflow}” is switched off, or not started by hand.")
    locked = lock(records, by)
    met = set(matching_records(each, clock.now()).filter(pk__any_of=locked.ids).values_list("pk", flat=True))
    locked.outcome.refuse([pk for pk in locked.ids if pk not in met], "The condition of the workflow is not met.")
    for ids in locked.batches_of_ids():
        start_runs([DueRun(each, pk, f"hand:{by.change}:{pk}", "by hand") for pk in ids])
        locked.outcome.done += ids
    if locked.outcome.done:
        what = f"{len(locked.outcome.done)} records" if len(locked.outcome.done) > 1 else "one record"
        record("workflow.started", Workflow.objects.filter(pk=workflow.pk), by=by, note=what)
    return locked.outcome
