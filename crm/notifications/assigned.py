"""Notifications of assigned contacts, companies and leads: one per user action and owner, whatever the number.

A reaction instead of a handler: handlers run once per event, and assigning a thousand contacts is a thousand events. In
the change's transaction this is one count, and commits with the change.

Why: docs/decisions/0013-notifications-with-the-change.md
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, F, Min, QuerySet

from audit.models import Entry
from audit.subjects import subject
from crm.events.reactions import reacts_to
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace_id
from crm.kit.sql import array_param
from crm.lists.imports.registry import on_end
from crm.lists.models import ImportRun
from crm.notifications.kinds import ASSIGNED
from crm.notifications.notify import NewNotification, notify
from leads.models import Lead


@reacts_to(
    "contact.created",
    "contact.captured",
    "contact.assigned",
    "company.created",
    "company.assigned",
    "lead.created",
    "lead.assigned",
)
def tell_assigned(rows: QuerySet, by: Actor) -> None:
    """React to created or assigned records. Imports notify at their end."""
    if by.channel != Channel.IMPORT:
        _tell(rows.model, by)


@on_end
def tell_imported(run: ImportRun, by: Actor) -> None:
    for entity in {run.entity, "company", "lead"}:
        if hasattr(subject(entity).model, "owner"):
            _tell(subject(entity).model, by)


def _tell(model: Any, by: Actor) -> None:
    notify(ASSIGNED, _given(model, by), by=by)


def _given(model: Any, by: Actor) -> Iterator[NewNotification]:
    """Yield for each new owner the number of records this user action assigned to them."""
    entity = model._meta.model_name
    whose: dict[str, Any] = {"ids": _touched(entity, by)}
    if model is Lead:
        whose["contacts"] = _touched("contact", by)

    def build(ids: Any, member: int | None, contacts: Any = None) -> QuerySet:
        given = model.objects.filter(pk__any_of=ids, owner__isnull=False)
        if contacts is not None:  # a notified owner of the contact needs none for its lead
            given = given.exclude(contact__id__any_of=contacts, contact__owner=F("owner"))
        others = given.exclude(owner=member) if member is not None else given
        return others.order_by().values("owner").annotate(count=Count("pk"), first=Min("pk")).values_list(*FOUND)

    rows = run_cached(("given", model, workspace_id()), build, member=by.member_id, **whose)
    for owner, count, first in rows:
        yield NewNotification(owner, entity, first, f"{by.change} {entity}", clock.now(), count)


FOUND = ("owner", "count", "first")


def _touched(entity: str, by: Actor) -> str:
    """Return the keys of records this user action assigned, in any_of format.

    Read first, because a subquery runs once per record if the planner expects few.
    """

    def build(change: Any) -> QuerySet:
        entries = Entry.objects.filter(change=change, entity=entity, action__in=("CREATE", "ASSIGN"))
        return entries.filter(new_values__has_key="owner").order_by().values_list("entity_id")

    return array_param(pk for (pk,) in run_cached(("touched", entity, workspace_id()), build, change=by.change))
