"""The mails of campaigns: plain text, filled in for each person, with the way out in the text and in the headers."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from crm.campaigns.links import unsubscribe_url
from crm.campaigns.models import Campaign, CampaignPerson
from crm.entities.placeholders import render
from crm.kit.site import site
from crm.kit.text import collapse_to_one_line

FOOTER = "\n\n--\nYou get this mail from {sender}. To get no more of them:\n{way_out}\n"


def campaign_message(person: CampaignPerson) -> EmailMessage:
    """The mail to one person. Its Message-ID is the same however often it is made. Raises Invalid for a lost field."""
    way_out = unsubscribe_url(person)
    headers = {
        "Message-ID": _message_id(f"{person.campaign.public_id}-{person.pk}"),
        # RFC 8058: mail programs show a button for it, and POST to the address.
        "List-Unsubscribe": f"<{way_out}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return _written(person.campaign, person.contact_id, person.contact.email, way_out, headers)


def sample_message(campaign: Campaign, to: str, contact: int, key: str) -> EmailMessage:
    """The same to a member, with what would stand there for a contact; its way out leads nowhere."""
    headers = {"Message-ID": _message_id(f"{campaign.public_id}-test-{key}")}
    mail = _written(campaign, contact, to, "(here stands the link by which each person unsubscribes)", headers)
    mail.subject = f"Test: {mail.subject}"
    return mail


def _message_id(key: str) -> str:
    return f"<{key}@{urlsplit(site()).hostname}>"


def _written(campaign: Campaign, contact: int, to: str, way_out: str, headers: dict[str, str]) -> EmailMessage:
    subject = collapse_to_one_line(render(campaign.subject, "contact", contact))[:200]
    body = render(campaign.body, "contact", contact) + FOOTER.format(sender=campaign.workspace, way_out=way_out)
    answers = [campaign.owner.user.email] if campaign.owner and campaign.owner.is_active else []
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [to], headers=headers, reply_to=answers)
