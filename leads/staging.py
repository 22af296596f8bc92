"""restage(): the only place that derives the stage from the score, and the status from the stage (source 003).

Why: docs/decisions/0006-stage-from-score.md
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, CharField, DateTimeField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from contacts.models import Contact
from contacts.verbs.qualify import qualify as qualify_contacts
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.compiled_queries import run_cached_over
from crm.kit.scope import workspace
from crm.lifecycle.axes import Axis
from crm.lifecycle.move import force_move
from crm.opportunities.contacts import lock_contacts
from crm.users.visibility import BATCH
from leads.axes import BY_SCORE, STAGE, STATUS, SYNC, synced
from leads.models import Lead, LeadQuerySet
from leads.scoring.current import thresholds

TOP = BY_SCORE[-1]


class RestageCounts(NamedTuple):
    """The numbers of leads that rose and fell in stage."""

    up: int
    down: int


class LeadRow(NamedTuple):
    """A locked lead's keys, current values and target stage."""

    pk: int
    contact: int
    status: str
    stage: str
    wanted: str


def restage(leads: LeadQuerySet, *, by: Actor) -> RestageCounts:
    """Set open leads' stage from their score or active floor, and their status from the stage.

    One statement if nothing changes, and about a dozen per 10,000 changes; converted and lost leads never change. A
    missing score counts as 0. Call it in a transaction. Contacts are locked before leads: callers that lock leads or
    scores first must already have locked the contacts of those that may reach Sales Qualified.
    """
    first = _to_move(leads)
    if not first:
        return RestageCounts(0, 0)
    # By key from here on: a subquery runs once per row if the planner expects few.
    top = Lead.objects.filter(pk__any_of=[pk for pk, wanted in first.items() if wanted == TOP])
    lock_contacts(top.filter(contact__lifecycle_stage="lead").order_by().values_list("contact", flat=True))
    rows = _moving(leads).filter(pk__any_of=first).order_by("pk").select_for_update(of=("self",))
    found = [LeadRow(*row) for row in rows.values_list("pk", "contact", "status", "stage", "wanted")]
    for to in BY_SCORE:
        also = {"qualified_date": first_qualified()} if to == TOP else {}
        moved = [lead.pk for lead in found if lead.wanted == to != lead.stage]
        _write(moved, STAGE, to, "score", "lead.restaged", by, also)
    follow(found, by=by)
    steps = [BY_SCORE.index(lead.wanted) - BY_SCORE.index(lead.stage) for lead in found]
    return RestageCounts(sum(step > 0 for step in steps), sum(step < 0 for step in steps))


def leads_to_restage(leads: LeadQuerySet) -> list[int]:
    """Return the keys of open leads that restage() would move, without a lock."""
    return list(_moving(leads).order_by("pk").values_list("pk", flat=True))


def _to_move(leads: LeadQuerySet) -> dict[int, str]:
    """Map each lead that moves to its target stage, in cached SQL, because most don't."""

    def build(rows: LeadQuerySet) -> QuerySet:
        return _moving(rows).order_by().values_list("pk", "wanted")

    return dict(run_cached_over(leads, ("to_move", workspace().schema_version), build))


def _moving(leads: LeadQuerySet) -> LeadQuerySet:
    scored = leads.open().annotate(points=Coalesce(F("score__score_tenths"), Value(0)))
    return scored.annotate(wanted=_wanted(clock.now())).filter(~Q(stage=F("wanted")) | _out_of_step())


def follow(leads: Sequence[LeadRow], *, by: Actor) -> None:
    """Apply the consequences of locked leads' new stages: a status, and a qualified contact."""
    due: dict[str, list[int]] = {step.verb: [] for step in SYNC}
    for lead in leads:
        for step in synced(lead.status, lead.wanted):
            due[step.verb].append(lead.pk)
    for verb, pks in due.items():
        to = STATUS.by_verb[verb].target
        also = {"qualified_date": first_qualified()} if to == "qualified" else {}
        _write(pks, STATUS, to, verb, STATUS.by_verb[verb].event, by, also)
    _qualify_contacts({lead.contact for lead in leads if lead.wanted == TOP}, by)


def first_qualified() -> Coalesce:
    """Return when a lead was first Sales Qualified: now unless set."""
    return Coalesce(F("qualified_date"), Value(clock.now(), DateTimeField()))


def _qualify_contacts(contacts: Iterable[int], by: Actor) -> None:
    """Qualify contacts, subject to guards: blocked ones stay Lead, which is an exception (DESIGN 1.2).

    The rule acts with its own rights, not those of the member who triggered it.
    """
    rule = dataclasses.replace(by, role=Role.ADMIN)
    for batch in _batches(sorted(contacts)):
        rows = Contact.objects.live().filter(pk__any_of=batch, lifecycle_stage="lead")
        qualify_contacts(rows, by=rule)


def _write(pks: Sequence[int], axis: Axis, to: str, verb: str, event: str, by: Actor, also: dict[str, Any]) -> None:
    for batch in _batches(pks):
        force_move(Lead.objects.filter(pk__any_of=batch), axis, to, verb=verb, event=event, by=by, also=also)


def _batches(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    return (pks[first : first + BATCH] for first in range(0, len(pks), BATCH))


def _wanted(now: datetime) -> Case:
    """Return the stage for `points`, or an active higher floor."""
    reached = [
        When(Q(points__gte=least) | Q(floor_until__gt=now, floor_stage=stage), then=Value(stage))
        for stage, least in thresholds().items()
    ]
    return Case(*reached, default=Value(BY_SCORE[0]), output_field=CharField())


def _out_of_step() -> Q:
    """Return the condition for leads whose unchanged stage requires another status, e.g. after a reactivation."""
    steps = Q()
    for step in SYNC:
        steps |= Q(wanted=step.stage, status=step.status)
    return steps
