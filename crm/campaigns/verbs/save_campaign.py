"""Create a campaign, or edit a draft."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from audit.record import record, update_and_record
from crm.campaigns.checks import NAMELESS, checked
from crm.campaigns.models import Campaign
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid, Refused
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require

SNAPSHOT = ("name", "type", "segment", "status", "subject", "body", "owner")


@transaction.atomic
def save_campaign(campaign: Campaign | None, values: Mapping[str, Any], *, by: Actor) -> Campaign:
    """Set `values` (name, type, segment, subject, body, owner) of a draft, of a new one if `campaign` is None.

    Raises NotAllowed below a manager, Invalid with a message per field, Refused if it is no longer a draft.
    """
    require(by, Right.CAMPAIGNS)
    if campaign is None and "name" not in values:
        raise Invalid({"name": str(NAMELESS)})
    cleaned = checked(values)
    if campaign is None:
        return _made(cleaned, by)
    row = Campaign.objects.filter(pk=campaign.pk)
    if not row.select_for_update().get().is_draft:
        raise Refused(_("Only drafts can be edited."))
    update_and_record("campaign.updated", row, cleaned, by=by)
    return row.get()


def _made(values: dict[str, Any], by: Actor) -> Campaign:
    owner = values.pop("owner", by.member_id)
    made = Campaign.objects.create(created_at=clock.now(), owner_id=owner, **values)
    record("campaign.created", Campaign.objects.filter(pk=made.pk), by=by, snapshot=SNAPSHOT)
    return made
