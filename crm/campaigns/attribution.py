"""Which campaign brought somebody: the last one whose mail went to them in the days before."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from crm.campaigns.models import CampaignPerson

WITHIN = timedelta(days=30)


def last_touch(moments: Mapping[int, datetime]) -> dict[int, str]:
    """Contact's key → name of the campaign that was mailed to them last in the 30 days before a moment, if any was."""
    sent = CampaignPerson.objects.filter(contact__pk__any_of=list(moments), sent_at__isnull=False)
    mails = sent.order_by("sent_at", "pk").values_list("contact", "sent_at", "campaign__name")
    return {contact: name for contact, at, name in mails if at <= moments[contact] < at + WITHIN}
