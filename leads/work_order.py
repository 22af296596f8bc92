"""The work order of leads, and computed columns of their list."""

from dataclasses import replace
from typing import Any

from django.db.models import BigIntegerField, BooleanField, Case, CharField, DateTimeField, F, Func, Q, Value, When
from django.db.models.functions import Coalesce

from crm.entities.fields import Choice, Field
from crm.entities.fields import FieldType as T
from crm.kit.translation import gettext_lazy as _
from leads.axes import NEXT_ACTION, OPEN
from leads.entities import LEAD

# A first contact is due: not made yet, with a deadline.
RUNNING = Q(status__in=OPEN, contact_by__isnull=False, contacted_at__isnull=True)
BEHIND = 10**10  # later than any deadline, in seconds since 1970


class Seconds(Func):
    """A time in whole seconds since 1970."""

    output_field = BigIntegerField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::bigint", **context)

    def as_sqlite(self, compiler, connection, **context):
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)


def deadline() -> Case:
    """Return the deadline of a first contact that is due, otherwise NULL."""
    return Case(When(RUNNING, then=F("contact_by")), output_field=DateTimeField())


# Why: docs/decisions/0039-work-queue-is-one-number.md
def priority_order() -> Case:
    """Return the sort key, smallest first: running deadlines by urgency, then other leads by score.

    No index serves it, since scores have none (see leads.models.Score): one member's or team's leads are sorted at
    once, those of a large workspace under the lists' time limit.
    """
    behind: Any = Value(BEHIND) - Coalesce(F("score__score_tenths"), 0)
    return Case(When(RUNNING, then=Seconds("contact_by")), default=behind, output_field=BigIntegerField())


def in_time() -> Case:
    """Return whether the first contact met its deadline; NULL before it, and without a deadline."""
    in_time = When(contacted_at__lte=F("contact_by"), then=Value(True))
    missed = When(contacted_at__gt=F("contact_by"), then=Value(False))
    return Case(in_time, missed, output_field=BooleanField())


def next_action() -> Case:
    """Return source 003's next action by stage; '' for lost leads."""
    return Case(When(status="lost", then=Value("")), default=F("stage"), output_field=CharField())


WORK_ORDER = Field(
    "work_order",
    _("Priority"),
    T.NUMBER,
    api="workOrder",
    aliases=("Work order",),  # not a text
    editable=False,
    expression=priority_order,
)
LEAD.add(
    Field("company", _("Company"), T.LINK, path="contact__company", target="company", editable=False),
    Field("deadline", _("Deadline"), T.DATETIME, editable=False, expression=deadline, due=True),
    WORK_ORDER,
    Field(
        "first_contact_in_time",
        _("First-contact SLA met"),
        T.YES_NO,
        aliases=("First contact in time",),  # not a text
        editable=False,
        expression=in_time,
    ),
    Field(
        "next_action",
        _("Next action"),
        T.SELECT,
        api="nextAction",
        choices=tuple(Choice(stage, action) for stage, action in NEXT_ACTION.items()),
        editable=False,
        expression=next_action,
    ),
)
# Newest first is served by an index.
LEAD.fields["created_at"] = replace(LEAD.fields["created_at"], sort="created_at")
