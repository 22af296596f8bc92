"""The migration plan on its page: immediate for few leads, otherwise in the background; stored in OldLeads.

{"include_lost": false, "done": 1200, "total": 40000, "figures": null or {…}, "steps": [ReportRow, …], "at": "…"}
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.background import after_commit
from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import in_workspace, workspace
from crm.legacy_leads.models import LegacyLead, OldLeads
from crm.legacy_leads.moving.report import ReportRow, planned_report_row
from crm.legacy_leads.moving.run import Order, check_role, dry_run, planned

AT_ONCE = 2_000  # leads, which take about a second
SHOWN = 200


def make_plan(include_lost: bool, *, by: Actor) -> None:
    """Plan a migration, writing only the plan. Raises NotAllowed."""
    check_role(by)
    with uncounted_reads():
        total = LegacyLead.objects.count()
    _keep({"include_lost": include_lost, "done": 0, "total": total})
    if total <= AT_ONCE:
        _plan(include_lost, total, by)
    else:
        after_commit(partial(_plan, include_lost, total, by), "The plan of the lead migration")  # not a text


def _plan(include_lost: bool, total: int, by: Actor) -> None:
    about = {"include_lost": include_lost, "total": total}
    steps: list[ReportRow] = []
    order = Order(
        include_lost=include_lost,
        told=lambda step: steps.append(planned_report_row(step)) if len(steps) < SHOWN else None,
        progress=lambda done, _: _keep(about | {"done": done}),
    )
    with uncounted_reads():
        figures = dry_run(order, by=by).report()
    _keep(about | {"done": figures["leads"], "figures": figures, "steps": steps})


def _keep(plan: dict[str, Any]) -> None:
    OldLeads.objects.update(plan={"figures": None, "steps": [], "at": clock.now().isoformat()} | plan)


def iterate_plan(include_lost: bool) -> Iterator[ReportRow]:
    """Yield every lead's line for the workspace in scope, planned lazily after the request."""
    here, batches = workspace(), planned(include_lost)
    while True:
        with in_workspace(here), uncounted_reads():
            steps = next(batches, None)
        if steps is None:
            return
        yield from map(planned_report_row, steps)
