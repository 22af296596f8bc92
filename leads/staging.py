"""restage(): the only place that derives the stage from the score, and the status from the stage (source 003).

Why: docs/decisions/0006-stage-from-score.md
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from django.db.models import Case, CharField, DateTimeField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from contacts.models import Contact
from contacts.verbs.qualify import qualify as qualify_contacts
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace
from crm.kit.sql import RawCondition, simple_where
from crm.lifecycle.axes import Axis
from crm.lifecycle.move import force_move
from crm.opportunities.contacts import lock_contacts
from crm.users.visibility import BATCH
from leads.axes import BY_SCORE, STAGE, STATUS, SYNC, synced
from leads.models import Lead, LeadQuerySet
from leads.scoring.current import thresholds

TOP = BY_SCORE[-1]


class RestageCounts(NamedTuple):
    """How many leads rose to a higher stage, and how many fell."""

    up: int
    down: int


class LeadRow(NamedTuple):
    """A lead (locked) by its keys: where it stands, and the stage that it is to have."""

    pk: int
    contact: int
    status: str
    stage: str
    wanted: str


def restage(leads: LeadQuerySet, *, by: Actor) -> RestageCounts:
    """Give open leads the stage of their score, or of their floor while it runs, and the status of their stage.

    One statement when none of them changes, and about a dozen for every 10,000 that do; converted and lost ones never
    do. A lead without a score counts as one at 0. To be called in a transaction. Contacts are locked before leads:
    whoever has locked leads or scores before must have locked the contacts of those that may reach Sales Qualified.
    """
    first = _to_move(leads)
    if not first:
        return RestageCounts(0, 0)
    # By key from here on: a subquery is run once per row where the planner reckons with few.
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
    """The keys of the open leads that restage() would move, read without a lock."""
    return list(_moving(leads).order_by("pk").values_list("pk", flat=True))


def _to_move(leads: LeadQuerySet) -> dict[int, str]:
    """The keys of those that move, and the stage that each wants; in SQL compiled once, for most of them stay."""
    if (where := simple_where(leads)) is None:
        return dict(_moving(leads).order_by().values_list("pk", "wanted"))

    def build(**given: Any) -> QuerySet:
        rows = cast(LeadQuerySet, Lead.objects.filter(RawCondition(where.sql, given.values())))
        return _moving(rows).order_by().values_list("pk", "wanted")

    space, given = workspace(), {f"given_{index}": value for index, value in enumerate(where.params)}
    return dict(run_cached(("to_move", space.pk, space.schema_version, where.sql), build, **given))


def _moving(leads: LeadQuerySet) -> LeadQuerySet:
    scored = leads.open().annotate(points=Coalesce(F("score__score_tenths"), Value(0)))
    return scored.annotate(wanted=_wanted(clock.now())).filter(~Q(stage=F("wanted")) | _out_of_step())


def follow(leads: Sequence[LeadRow], *, by: Actor) -> None:
    """What it brings with it that leads (locked) have the stage they wanted: a status, and a qualified contact."""
    due: dict[str, list[int]] = {step.verb: [] for step in SYNC}
    for lead in leads:
        for step in synced(lead.status, lead.wanted):
            due[step.verb].append(lead.pk)
    for verb, pks in due.items():
        to = STATUS.move(verb).target
        also = {"qualified_date": first_qualified()} if to == "qualified" else {}
        _write(pks, STATUS, to, verb, STATUS.move(verb).event, by, also)
    _qualify_contacts({lead.contact for lead in leads if lead.wanted == TOP}, by)


def first_qualified() -> Coalesce:
    """When a lead was first Sales Qualified: now, unless it was before."""
    return Coalesce(F("qualified_date"), Value(clock.now(), DateTimeField()))


def _qualify_contacts(contacts: Iterable[int], by: Actor) -> None:
    """Through their guards: whom one holds back stays a Lead, which is an exception to look at (DESIGN 1.2).

    It is a rule that acts, whether or not the contact is to be changed by whoever set it off.
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
    """The stage of `points`, or of the floor where it runs and is higher."""
    reached = [
        When(Q(points__gte=least) | Q(floor_until__gt=now, floor_stage=stage), then=Value(stage))
        for stage, least in thresholds().items()
    ]
    return Case(*reached, default=Value(BY_SCORE[0]), output_field=CharField())


def _out_of_step() -> Q:
    """Leads whose status a stage that they have for longer brings about, such as a reactivated one's."""
    steps = Q()
    for step in SYNC:
        steps |= Q(wanted=step.stage, status=step.status)
    return steps
