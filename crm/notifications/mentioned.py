"""Notifications of mentions in activities, for members who see the record: one per activity."""

from django.db.models import Q, QuerySet

from contacts.activities.mentions import readers
from contacts.models import Activity
from crm.events.reactions import reacts_to
from crm.kit import clock
from crm.kit.actor import Actor
from crm.notifications.kinds import MENTIONED
from crm.notifications.notify import NewNotification, notify


@reacts_to("activity.logged", "activity.planned", "activity.updated")
def tell_mentioned(rows: QuerySet, by: Actor) -> None:
    """React to created or changed activities."""
    written = rows.filter(Q(subject__contains="@") | Q(body__contains="@"), deleted_at__isnull=True)
    activities = list(written.select_related("contact", "company"))
    both = zip(activities, readers(activities), strict=True)
    notify(MENTIONED, [_news(activity, member.pk) for activity, (seeing, _) in both for member in seeing], by=by)


def _news(activity: Activity, recipient: int) -> NewNotification:
    about = activity.about
    return NewNotification(recipient, str(about._meta.model_name), about.pk, f"activity {activity.pk}", clock.now())
