"""Resend a campaign's failed emails."""

from django.db import transaction

from audit.record import record, update_and_record
from crm.campaigns.models import Campaign, CampaignPerson
from crm.events.publish import publish
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require


@transaction.atomic
def retry_campaign(campaign: Campaign, *, by: Actor) -> int:
    """Queue a campaign's failed emails again; return how many. Raises NotAllowed below a manager, Refused if none."""
    require(by, Right.CAMPAIGNS)
    row = Campaign.objects.filter(pk=campaign.pk)
    held = row.select_for_update().get()
    failed = CampaignPerson.objects.filter(campaign=held, state=CampaignPerson.State.FAILED)
    ids = list(failed.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    if not ids or held.status not in (Campaign.Status.SENDING, Campaign.Status.SENT):
        raise Refused(_("No failed emails to retry."))
    people = CampaignPerson.objects.filter(pk__any_of=ids)
    people.update(state=CampaignPerson.State.WAITING, reason="", attempts=0)
    publish("campaign_person.due", people, by=by)
    if not update_and_record("campaign.retried", row, {"status": Campaign.Status.SENDING, "finished_at": None}, by=by):
        record("campaign.retried", row, by=by)
    return len(ids)
