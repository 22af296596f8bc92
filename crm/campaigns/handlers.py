"""Handlers that send campaign email. Failed deliveries are retried, and at last kept as failed."""

from crm.campaigns.audience import audience
from crm.campaigns.messages import sample_message
from crm.campaigns.models import Campaign
from crm.campaigns.sending import deliver
from crm.events.handlers import handles
from crm.kit.actor import Actor
from crm.users.models import Membership


@handles("campaign_person.due", queue="campaigns", outward=True)
def send_mail(event, *, by: Actor) -> None:
    deliver(event.entity_id, by=by)


@handles("campaign.tested", queue="mail", outward=True)
def send_test(event, *, by: Actor) -> None:
    """Send a test email to its requester, with the values of the campaign's first contact."""
    campaign = Campaign.objects.select_related("owner__user", "workspace").get(pk=event.entity_id)
    to = Membership.objects.select_related("user").get(pk=event.member_id)
    first = audience(campaign, by).order_by("why_not", "pk").values_list("pk", flat=True).first()
    sample_message(campaign, to.user.email, first or 0, str(event.pk)).send()
