"""Emails to members: plain text and simple HTML, in their language. Sent only by handlers."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from crm.kit import formats
from crm.kit.actor import Channel
from crm.kit.language import speaking_to
from crm.kit.site import site
from crm.kit.text import collapse_to_one_line
from crm.kit.translation import ngettext
from crm.notifications.lines import NotificationLine, lines
from crm.notifications.models import Notification
from crm.users.models import Membership

TEMPLATES = ("notifications/mail/news.txt", "notifications/mail/news.html")
SUBJECT_LENGTH = 150


def send(notifications: Sequence[Notification], recipient: Membership, *, key: str, daily: bool = False) -> None:
    """Email the notifications to their recipient. `key` makes a stable Message-ID. Raises the mail server's errors."""
    zone = ZoneInfo(recipient.user.timezone or recipient.workspace.timezone)
    with timezone.override(zone), speaking_to(recipient.user, recipient.workspace):
        news = lines(notifications, recipient.actor(Channel.SYSTEM))
        subject = _subject(news, recipient)
        context = {"lines": news, "recipient": recipient, "site": site(), "daily": daily, "subject": subject}
        text, html = (render_to_string(template, context) for template in TEMPLATES)
    message_id = f"<{key}@{urlsplit(site()).hostname}>"
    mail = EmailMultiAlternatives(
        subject,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [recipient.user.email],
        headers={"Message-ID": message_id},
    )
    mail.attach_alternative(html, "text/html")
    mail.send()


def _subject(told: Sequence[NotificationLine], recipient: Membership) -> str:
    if len(told) > 1:
        subject = ngettext("{count} notification from {workspace}", "{count} notifications from {workspace}", len(told))
        return collapse_to_one_line(subject.format(count=formats.number(len(told)), workspace=recipient.workspace))
    return collapse_to_one_line(told[0].text)[:SUBJECT_LENGTH]
