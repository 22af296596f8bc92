"""Send a campaign to its recipients."""

from django.db import transaction

from audit.record import update_and_record
from crm.campaigns.audience import audience, recorded
from crm.campaigns.checks import check_ready
from crm.campaigns.models import Campaign, CampaignPerson
from crm.events.publish import publish
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.sql import insert_select
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require


@transaction.atomic
def send_campaign(campaign: Campaign, *, by: Actor) -> Campaign:
    """Store recipients and excluded contacts with reasons; each email is then sent by its own delivery.

    A few statements for any number of recipients. Raises NotAllowed below a manager, Refused for a campaign that is no
    draft, is empty or has no recipients.
    """
    require(by, Right.CAMPAIGNS)
    row = Campaign.objects.filter(pk=campaign.pk)
    held = row.select_for_update().get()
    if not held.is_draft:
        raise Refused(_("This campaign has already been sent or canceled."))
    check_ready(held)
    people = audience(held, by)
    insert_select(CampaignPerson, people, recorded(held, people, by), ignore_conflicts=True)
    waiting = CampaignPerson.objects.filter(campaign=held, state=CampaignPerson.State.WAITING)
    if not waiting.exists():
        raise Refused(_("No eligible recipients. No contact has both an email address and marketing consent."))
    publish("campaign_person.due", waiting, by=by)
    update_and_record("campaign.started", row, {"status": Campaign.Status.SENDING, "started_at": clock.now()}, by=by)
    return row.get()
