"""Have the dashboard mailed, as it is at that moment."""

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
    """Mail the actor, and nobody else, what `query` asks about the last `days` up to each mail; '' for never.

    Asked again it replaces what was asked before. Raises Invalid for an interval or a number of days that is none.
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
