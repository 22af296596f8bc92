"""Campaign emails: plain text, filled in per recipient, with the unsubscribe link in text and headers."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from crm.campaigns.links import unsubscribe_url
from crm.campaigns.models import Campaign, CampaignPerson
from crm.entities.placeholders import render
from crm.kit.language import speaking_in
from crm.kit.site import site
from crm.kit.text import collapse_to_one_line
from crm.kit.translation import gettext as _


def campaign_message(person: CampaignPerson) -> EmailMessage:
    """Return one recipient's email, with a stable Message-ID. Raises Invalid for a deleted field."""
    way_out = unsubscribe_url(person)
    headers = {
        "Message-ID": _message_id(f"{person.campaign.public_id}-{person.pk}"),
        # RFC 8058: email clients show a button for it, and POST to the URL.
        "List-Unsubscribe": f"<{way_out}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return _written(person.campaign, person.contact_id, person.contact.email, way_out, headers)


def sample_message(campaign: Campaign, to: str, contact: int, key: str) -> EmailMessage:
    """Return the email to a member, with one contact's values; its unsubscribe link is a dummy."""
    headers = {"Message-ID": _message_id(f"{campaign.public_id}-test-{key}")}
    with speaking_in(campaign.workspace):
        mail = _written(campaign, contact, to, _("(unsubscribe link goes here)"), headers)
        mail.subject = _("Test: {subject}").format(subject=mail.subject)
    return mail


def _message_id(key: str) -> str:
    return f"<{key}@{urlsplit(site()).hostname}>"


def _written(campaign: Campaign, contact: int, to: str, way_out: str, headers: dict[str, str]) -> EmailMessage:
    """Return an email in the workspace's language: contacts' languages are unknown."""
    with speaking_in(campaign.workspace):
        subject = collapse_to_one_line(render(campaign.subject, "contact", contact))[:200]
        footer = _("This email was sent by {sender}.\nUnsubscribe: {link}")
        footer = footer.format(sender=campaign.workspace, link=way_out)
        body = f"{render(campaign.body, 'contact', contact)}\n\n--\n{footer}\n"
    answers = [campaign.owner.user.email] if campaign.owner and campaign.owner.is_active else []
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [to], headers=headers, reply_to=answers)
