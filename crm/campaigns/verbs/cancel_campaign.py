"""Cancel a campaign before it is sent, or while it is."""

from django.db import transaction

from audit.record import update_and_record
from crm.campaigns.models import Campaign, CampaignPerson
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require


@transaction.atomic
def cancel_campaign(campaign: Campaign, *, by: Actor) -> int:
    """Stop sending; return how many recipients were left. Sent emails stay sent.

    Raises NotAllowed below a manager, Refused for a finished campaign.
    """
    require(by, Right.CAMPAIGNS)
    row = Campaign.objects.filter(pk=campaign.pk)
    if not row.select_for_update().get().is_open:
        raise Refused(_("This campaign has already finished."))
    waiting = CampaignPerson.objects.filter(campaign=campaign, state=CampaignPerson.State.WAITING)
    spared = waiting.update(state=CampaignPerson.State.LEFT_OUT, reason=_("Canceled"))
    update_and_record(
        "campaign.cancelled", row, {"status": Campaign.Status.CANCELLED, "finished_at": clock.now()}, by=by
    )
    return spared
