"""Send a test email of a campaign."""

from django.db import transaction

from audit.record import record
from crm.campaigns.checks import check_ready
from crm.campaigns.models import Campaign
from crm.kit.actor import Actor
from crm.users.roles import Right, require


@transaction.atomic
def try_campaign(campaign: Campaign, *, by: Actor) -> None:
    """Queue the email to the actor's own address. Raises NotAllowed below a manager, Refused."""
    require(by, Right.CAMPAIGNS)
    check_ready(campaign)
    record("campaign.tested", Campaign.objects.filter(pk=campaign.pk), by=by)
