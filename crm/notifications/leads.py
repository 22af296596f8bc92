"""Notifications on leads, for their owners, and on missed deadlines for managers too: one per change."""

from django.db.models import Count, Min, QuerySet

from audit.models import Entry
from crm.events.reactions import reacts_to
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.notifications.kinds import LEAD_OVERDUE, SALES_QUALIFIED
from crm.notifications.notify import NewNotification, notify
from crm.users.models import Membership
from leads.models import Lead


@reacts_to("lead.synced")
def tell_sales_qualified(leads: QuerySet, by: Actor) -> None:
    """React to leads that changed stage: notify owners of newly qualified ones."""
    if leads.filter(status="qualified").exists():
        moved = Entry.objects.filter(change=by.change, event="lead.synced", new_values__status="qualified")
        reached = Lead.objects.filter(pk__in=moved.values("entity_id"), status="qualified")
        notify(SALES_QUALIFIED, _owners(reached, f"{by.change} sales_qualified").values(), by=by)


@reacts_to("lead.overdue")
def tell_overdue(leads: QuerySet, by: Actor) -> None:
    key = f"{by.change} overdue"
    every = leads.aggregate(count=Count("pk"), first=Min("pk"))
    managers = Membership.objects.active().filter(role__in=(Role.MANAGER, Role.ADMIN)).values_list("pk", flat=True)
    news = {pk: NewNotification(pk, "lead", every["first"], key, clock.now(), every["count"]) for pk in managers}
    notify(LEAD_OVERDUE, (_owners(leads, key) | news).values(), by=by)


def _owners(leads: QuerySet, key: str) -> dict[int, NewNotification]:
    owned = leads.filter(owner__isnull=False).order_by().values_list("owner").annotate(Count("pk"), Min("pk"))
    return {owner: NewNotification(owner, "lead", first, key, clock.now(), count) for owner, count, first in owned}
