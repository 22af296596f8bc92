"""Attribution to campaigns: the last one emailed to the contact in the preceding days."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from crm.campaigns.models import CampaignPerson

WITHIN = timedelta(days=30)


def last_touch(moments: Mapping[int, datetime]) -> dict[int, str]:
    """Map each contact's key to the name of the last campaign emailed to them in the 30 days before a time, if any."""
    sent = CampaignPerson.objects.filter(contact__pk__any_of=list(moments), sent_at__isnull=False)
    mails = sent.order_by("sent_at", "pk").values_list("contact", "sent_at", "campaign__name")
    return {contact: name for contact, at, name in mails if at <= moments[contact] < at + WITHIN}
