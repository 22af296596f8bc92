"""What a campaign asks."""

from typing import Any

from django import forms

from crm.campaigns.models import Campaign
from crm.campaigns.segments import segments
from crm.users.models import Membership

PLACES = "{first_name}, {company.name} and other fields of the contact are filled in."


def _segments() -> list[tuple[str, str]]:
    return [("", "Only people whom a workflow adds"), *((each.slug, each.name) for each in segments().values())]


def _people() -> list[tuple[int, str]]:
    people = Membership.objects.active().select_related("user").order_by("user__name", "pk")
    return [(each.pk, str(each)) for each in people]


class CampaignForm(forms.Form):
    """Its name, whom it is for and what it says."""

    name = forms.CharField(max_length=100)
    segment = forms.ChoiceField(
        required=False,
        choices=_segments,
        help_text="A view of contacts that the whole workspace has. Your own views, and those that ask for “me”, are "
        "not offered: save one for the whole workspace first.",
    )
    owner = forms.ChoiceField(choices=_people, help_text="Answers to the mail go to them.")
    subject = forms.CharField(max_length=200, required=False, help_text=PLACES)
    body = forms.CharField(
        label="Text", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 12}), help_text=PLACES
    )


def initial(campaign: Campaign | None, member: Membership) -> dict[str, Any]:
    if campaign is None:
        return {"owner": member.pk}
    shown = {name: getattr(campaign, name) for name in ("name", "segment", "subject", "body")}
    return shown | {"owner": campaign.owner_id or member.pk}
