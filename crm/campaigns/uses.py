"""References of campaigns: the view used as segment, and the fields in their texts."""

from collections.abc import Iterator
from dataclasses import dataclass

from crm.campaigns.models import Campaign
from crm.campaigns.segments import segment_of
from crm.entities.uses import PlaceholderReference, Reference, ReferringModel, SettingUse, Target, register, view_target
from crm.kit.translation import gettext as _


@dataclass(frozen=True)
class SegmentReference:
    """A contact view used as a segment."""

    slug: str

    def targets(self) -> list[Target]:
        return [view_target("contact", segment_of(self.slug).slug)]


def _campaigns() -> Iterator[SettingUse]:
    for campaign in Campaign.objects.filter(status__in=Campaign.OPEN):
        texts = ((_("Subject"), campaign.subject), (_("Content"), campaign.body))
        references: list[Reference] = [PlaceholderReference("contact", text, label) for label, text in texts]
        if campaign.segment and campaign.is_draft:  # once sending starts, recipients are stored
            references.append(SegmentReference(campaign.segment))
        label = _("Campaign “{name}”").format(name=campaign)
        yield SettingUse("campaign", campaign.pk, label, campaign.get_absolute_url(), references)


register(ReferringModel("campaign", "campaigns.Campaign", ("segment", "subject", "body"), _campaigns))
