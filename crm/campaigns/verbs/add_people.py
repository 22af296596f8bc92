"""Add contacts to a campaign, besides those of its segment."""

from django.db import transaction
from django.db.models import QuerySet

from audit.record import record
from contacts.models import Contact
from crm.campaigns.audience import annotate_exclusions, recorded
from crm.campaigns.models import Campaign, CampaignPerson
from crm.events.publish import publish
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.outcome import Outcome
from crm.kit.sql import insert_select
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require
from crm.users.visibility import RecordQuerySet


@transaction.atomic
def add_people(campaign: Campaign, contacts: RecordQuerySet, *, by: Actor) -> Outcome:
    """Add contacts to a draft, or to a campaign being sent, which then emails them too.

    `done` are the newly added contacts. Raises NotAllowed below a manager, Refused for a finished campaign.
    """
    require(by, Right.CAMPAIGNS)
    row = Campaign.objects.filter(pk=campaign.pk)
    held = row.select_for_update().get()
    if not held.is_open:
        raise Refused(_("Campaign “{name}” is over. Contacts can’t be added.").format(name=held))
    there = CampaignPerson.objects.filter(campaign=held)
    wanted = contacts.live().visible_to(by).exclude(pk__in=there.values("contact"))
    ids = list(wanted.order_by("pk").values_list("pk", flat=True))
    new = annotate_exclusions(Contact.objects.filter(pk__any_of=ids))
    insert_select(CampaignPerson, new, _columns(held, new, by))
    added = there.filter(contact__pk__any_of=ids)
    if held.status == Campaign.Status.SENDING:
        publish("campaign_person.due", added.filter(state=CampaignPerson.State.WAITING), by=by)
    if ids:
        record("campaign.added", row, by=by, note=formats.number(len(ids)))
    return Outcome(by.change, ids)


def _columns(campaign: Campaign, contacts: QuerySet, by: Actor) -> dict:
    """Return the columns of new recipients; in a draft all wait, because exclusions are checked on sending."""
    columns = recorded(campaign, contacts, by)
    return columns | {"state": CampaignPerson.State.WAITING, "reason": ""} if campaign.is_draft else columns
