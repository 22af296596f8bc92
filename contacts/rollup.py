"""What happened and comes next at a company: its own activities and its people's."""

from django.db.models import F, Q, QuerySet

from contacts.activities.conversations import CONVERSATIONS
from contacts.models import Activity, Company
from contacts.timeline import keys_around
from crm.kit.actor import Actor


def activities_of(company: Company, by: Actor) -> QuerySet[Activity]:
    """Return the activities of a company and its people that the actor sees, without deleted ones."""
    around = keys_around(company, by)
    theirs = Q(pk__any_of=around["done"]) | Q(contact__pk__any_of=around["people"])
    return Activity.objects.visible_to(by).filter(theirs, deleted_at__isnull=True).select_related("contact")


def last_contact(activities: QuerySet[Activity]) -> Activity | None:
    """Return the latest conversation: a connected call, a meeting or an email of a member, not of a workflow."""
    done = activities.filter(kind__in=CONVERSATIONS, status="done", automatic=False, occurred_at__isnull=False)
    held = done.filter(~Q(kind="call") | Q(outcome=Activity.CONNECTED))
    return held.order_by("-occurred_at", "-pk").first()


def next_step(company: Company, activities: QuerySet[Activity]) -> Activity | None:
    """Return what the company's owner does next: their open activity that is due first."""
    if not company.owner_id:
        return None
    waiting = activities.filter(status="pending", assignee=company.owner_id)
    return waiting.order_by(F("due_at").asc(nulls_last=True), "pk").first()
