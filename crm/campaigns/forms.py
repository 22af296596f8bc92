"""The campaign form."""

from typing import Any

from django import forms

from crm.campaigns.models import Campaign
from crm.campaigns.segments import segments
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership

PLACES = _("Insert contact fields in braces, e.g. {first_name} or {company.name}.")


def _segments() -> list[tuple[str, str]]:
    return [
        ("", gettext("Only contacts added by a workflow")),
        *((each.slug, each.name) for each in segments().values()),
    ]


def _people() -> list[tuple[int, str]]:
    people = Membership.objects.active().select_related("user").order_by("user__name", "pk")
    return [(each.pk, str(each)) for each in people]


class CampaignForm(forms.Form):
    """A campaign's name, audience and message."""

    name = forms.CharField(label=_("Name"), max_length=100)
    segment = forms.ChoiceField(
        label=_("Segment"),
        required=False,
        choices=_segments,
        help_text=_("A shared contact view. Private views and views that use “me” aren’t available."),
    )
    owner = forms.ChoiceField(label=_("Owner"), choices=_people, help_text=_("Replies go to this person."))
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False, help_text=PLACES)
    body = forms.CharField(
        label=_("Content"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=PLACES,
    )


def initial(campaign: Campaign | None, member: Membership) -> dict[str, Any]:
    if campaign is None:
        return {"owner": member.pk}
    shown = {name: getattr(campaign, name) for name in ("name", "segment", "subject", "body")}
    return shown | {"owner": campaign.owner_id or member.pk}
