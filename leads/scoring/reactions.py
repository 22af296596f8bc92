"""Immediate scoring: of new leads, after changes to what the criteria read, and after events."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.models import Entry
from audit.undo.hooks import PutBack, on_undo
from contacts.engagement import on_engaged
from contacts.models import EngagementEvent
from crm.events.reactions import reacts_to
from crm.kit import clock
from crm.kit.actor import Actor, Channel
from crm.kit.sqlite import courtesy
from crm.lists.imports.registry import on_end
from crm.lists.imports.running import BATCH
from crm.lists.models import ImportRun
from leads.models import Lead, LeadQuerySet
from leads.scoring.current import current
from leads.scoring.score import add, recompute, refit, score
from leads.staging import leads_to_restage, restage


def score_opened(ids: Iterable[int], by: Actor) -> None:
    score(list(ids), clock.now())
    _restage(Lead.objects.filter(pk__any_of=list(ids)), by)


@on_engaged
def count(events: QuerySet[EngagementEvent], by: Actor) -> None:
    """React to newly stored engagement events."""
    add(events, clock.now())
    _restage(Lead.objects.open().filter(contact__in=events.order_by().values("contact")), by)


@on_end
def restage_imported(run: ImportRun, by: Actor) -> None:
    """After an import's last batch, move the leads it scored to their stages, batch by batch."""
    ids = leads_to_restage(Lead.objects.filter(score__scored_at__gte=run.created_at))
    size = BATCH[connection.vendor]
    for start in range(0, len(ids), size):
        with courtesy.batch(), transaction.atomic():
            restage(Lead.objects.filter(pk__any_of=ids[start : start + size]), by=by)


@reacts_to("lead.updated", "lead.field_converted")
def leads_changed(leads: QuerySet, by: Actor) -> None:
    _rescore(cast(LeadQuerySet, leads), by)


@reacts_to("lead.restored", "lead.reactivated", "lead.undone")
def leads_open_again(leads: QuerySet, by: Actor) -> None:
    """React to reopened or restored leads: their sums lack the events since."""
    _from_events(cast(LeadQuerySet, leads), by)


@reacts_to(
    "contact.updated",
    "contact.field_converted",
    "contact.enriched",
    "contact.captured",
    "contact.assigned",
    "contact.status_changed",
)
def contacts_changed(contacts: QuerySet, by: Actor) -> None:
    if "contact" in current().rules.reads:
        _rescore(Lead.objects.filter(contact__in=contacts.order_by()), by)


@reacts_to("company.updated", "company.field_converted", "company.assigned", "company.undone")
def companies_changed(companies: QuerySet, by: Actor) -> None:
    if "company" in current().rules.reads:
        _rescore(Lead.objects.filter(contact__company__in=companies.order_by()), by)


@reacts_to("contact.merged", "contact.disengaged", "contact.undone")
def rescore_contacts(contacts: QuerySet, by: Actor) -> None:
    """React to contacts with other events than before, by a merge or an undo."""
    _from_events(Lead.objects.filter(contact__in=contacts.order_by()), by)


@on_undo
def engagement_undone(change: UUID, entity: str, put_back: PutBack, by: Actor) -> None:
    """Listener of audit.undo: rescore after events moved back to their original contact."""
    if entity == "engagement":
        entries = Entry.objects.filter(change__unindexed=change, entity=entity, entity_id__any_of=list(put_back))
        people = {pk for pair in entries.values_list("person", "new_values__contact") for pk in pair}
        _from_events(Lead.objects.filter(contact__pk__any_of=sorted(people)), by)


def _from_events(leads: LeadQuerySet, by: Actor) -> None:
    ids = _open(leads)
    if ids:
        recompute(ids, clock.now())
        _restage(Lead.objects.filter(pk__any_of=ids), by)


def _rescore(leads: LeadQuerySet, by: Actor) -> None:
    ids = _open(leads)
    if ids and refit(ids, clock.now()):
        _restage(Lead.objects.filter(pk__any_of=ids), by)


def _open(leads: LeadQuerySet) -> list[int]:
    return list(leads.open().order_by("pk").values_list("pk", flat=True))


def _restage(leads: LeadQuerySet, by: Actor) -> None:
    """Restage, except during imports, which do so at their end (DESIGN 1.3): rules only see evaluated instants."""
    if by.channel != Channel.IMPORT:
        restage(leads, by=by)
