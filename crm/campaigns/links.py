"""The unsubscribe link in each email, signed against forgery."""

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from crm.campaigns.models import CampaignPerson
from crm.kit.site import site

SIGNER = Signer(salt="campaigns.unsubscribe")


def unsubscribe_url(person: CampaignPerson) -> str:
    return site() + reverse("campaign_unsubscribe", args=[SIGNER.sign(str(person.pk))])


def person_of(token: str) -> CampaignPerson | None:
    """Return a link's recipient with workspace and campaign; None for an invalid link or deleted recipient."""
    try:
        pk = int(SIGNER.unsign(token))
    except (BadSignature, ValueError):
        return None
    return CampaignPerson.objects.unscoped().select_related("workspace", "campaign").filter(pk=pk).first()
