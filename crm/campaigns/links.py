"""The link in each mail by which somebody unsubscribes: signed, so that nobody can make one for another."""

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from crm.campaigns.models import CampaignPerson
from crm.kit.site import site

SIGNER = Signer(salt="campaigns.unsubscribe")


def unsubscribe_url(person: CampaignPerson) -> str:
    """Where the mail to that person leads who wants no more."""
    return site() + reverse("campaign_unsubscribe", args=[SIGNER.sign(str(person.pk))])


def person_of(token: str) -> CampaignPerson | None:
    """Whom a link was made for, with workspace and campaign; None for one that was never made, or is for nobody now."""
    try:
        pk = int(SIGNER.unsign(token))
    except (BadSignature, ValueError):
        return None
    return CampaignPerson.objects.unscoped().select_related("workspace", "campaign").filter(pk=pk).first()
