"""Finish projects."""

from django.db import transaction

from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock
from tests.records.projects.axes import STATE


@transaction.atomic
def finish(projects: RecordQuerySet, *, by: Actor, reason: str = "") -> Outcome:
    """Move planned projects to Finished."""
    return move(lock(projects, by, bring=STATE.field), STATE, "finish", by=by, reason=reason)
