"""Run a workflow manually."""

from django.db import transaction

from audit.record import record
from crm.kit import clock, formats
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.users.visibility import RecordQuerySet, lock
from crm.workflows.active_workflows import active_workflows
from crm.workflows.models import Workflow
from crm.workflows.start_runs import DueRun, matching_records, start_runs


@transaction.atomic
def start_workflow(records: RecordQuerySet, workflow: Workflow, *, by: Actor) -> Outcome:
    """Run an active workflow with the manual trigger on those of `records` that `by` may change.

    Raises Refused for any other workflow.
    """
    each = next((each for each in active_workflows() if each.workflow == workflow.pk), None)
    if each is None or each.trigger["kind"] != "manual":
        raise Refused(_("“{name}” is turned off or can’t be run manually.").format(name=workflow))
    locked = lock(records, by)
    met = set(matching_records(each, clock.now()).filter(pk__any_of=locked.ids).values_list("pk", flat=True))
    locked.outcome.refuse([pk for pk in locked.ids if pk not in met], _("The workflow’s conditions aren’t met."))
    for ids in locked.batches_of_ids():
        start_runs([DueRun(each, pk, f"hand:{by.change}:{pk}", "by hand") for pk in ids])  # not a text
        locked.outcome.done += ids
    if locked.outcome.done:
        count = len(locked.outcome.done)
        note = ngettext("{count} record", "{count} records", count).format(count=formats.number(count))
        record("workflow.started", Workflow.objects.filter(pk=workflow.pk), by=by, note=note)
    return locked.outcome
