"""Subscribe to an emailed dashboard."""

from django.db import transaction

from audit.record import record, update_and_record
from crm.dashboards.models import Subscription
from crm.dashboards.period import LONGEST
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _


@transaction.atomic
def subscribe(query: str, *, by: Actor, days: int, every: str) -> Subscription:
    """Email the actor the dashboard `query` for the last `days` before each email; '' for never.

    A new subscription replaces the previous one. Raises Invalid for an invalid interval or number of days.
    """
    if every not in Subscription.Every.values:
        raise Invalid({"every": _("Choose how often to send the email.")})
    if not 1 <= days <= LONGEST:
        raise Invalid({"days": _("Enter a number from 1 to {most}.").format(most=formats.number(LONGEST))})
    values = {"query": query[:4000], "days": days, "every": every}
    found, created = Subscription.objects.get_or_create(member_id=by.member_id, defaults=values)
    row = Subscription.objects.filter(pk=found.pk)
    if created:
        record("dashboard_mail.updated", row, by=by, snapshot=("member", *values))
    else:
        update_and_record("dashboard_mail.updated", row, values, by=by)
    return row.get()
