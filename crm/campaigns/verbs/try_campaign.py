"""Send a campaign to oneself, to see what people will get."""

from django.db import transaction

from audit.record import record
from crm.campaigns.checks import check_ready
from crm.campaigns.models import Campaign
from crm.kit.actor import Actor
from crm.users.roles import Right, require


@transaction.atomic
def try_campaign(campaign: Campaign, *, by: Actor) -> None:
    """Have the mail sent to the actor's own address, by the handler. Raises NotAllowed below a manager, Refused."""
    require(by, Right.CAMPAIGNS)
    check_ready(campaign)
    record("campaign.tested", Campaign.objects.filter(pk=campaign.pk), by=by)
