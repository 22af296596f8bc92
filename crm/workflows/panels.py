"""Workflow panels on other pages: a record's runs and manual workflows, and held imports."""

from functools import partial
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from audit.models import Entry
from crm.lists.imports.registry import on_report
from crm.lists.models import ImportRun
from crm.records.panels import register
from crm.users.http import Request
from crm.users.roles import Right, may
from crm.users.visibility import may_edit
from crm.workflows.active_workflows import active_workflows
from crm.workflows.models import Release, Run
from crm.workflows.triggers import entities, names

SHOWN = 5


def by_hand(entity: str) -> list[tuple[str, str]]:
    """Return (public id, name) of the workflows that can be run manually on an entity's records."""
    return [(e.public_id, e.name) for e in active_workflows() if e.trigger["kind"] == "manual" and e.entity == entity]


def runs_panel(entity: str, record: Any, request: Request) -> SafeString:
    """Return a record's runs and a button per manual workflow; '' if there are none."""
    last = Run.objects.of_record(entity, record.pk).select_related("workflow").order_by("-started_at", "-pk")[:SHOWN]
    runs = [(run, run.Status(run.status).label, run.TONES[run.status]) for run in last]
    may_start = may_edit(record, request.actor) and record.deleted_at is None
    offered = by_hand(entity) if may_start else []
    if not (runs or offered):
        return SafeString()
    context = {"entity": entity, "record": record, "runs": runs, "offered": offered}
    return render_to_string("workflows/panel.html", context, request)


@on_report
def import_release_panel(run: ImportRun, request: Request) -> str:
    """Return the prompt for admins to release an import's held workflows, or the release's status."""
    if not may(request.actor, Right.WORKSPACE) or run.undone_at:
        return ""
    release = Release.objects.filter(change=run.change).first()
    waiting = [] if release else _waiting(run)
    if not (release or waiting):
        return ""
    context = {"run": run, "release": release, "waiting": waiting}
    return render_to_string("workflows/held.html", context, request)


def _waiting(run: ImportRun) -> list[str]:
    looked_at = {each.name: names(each.trigger) for each in active_workflows()}
    wanted = {name for some in looked_at.values() for name in some}
    found = Entry.objects.filter(change=run.change, event__in=wanted).order_by().values_list("event", flat=True)
    there = set(found.distinct()) if wanted else set()
    return sorted(name for name, some in looked_at.items() if there & set(some))


def show() -> None:
    """Register the panel for all entities that support workflows."""
    for entity, _ in entities():
        register(entity, partial(runs_panel, entity))
