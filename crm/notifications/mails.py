"""Mails to members: plain text and simple HTML, saying why one gets them. Sent by the handlers, never by a page."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from crm.kit.actor import Channel
from crm.kit.site import site
from crm.kit.text import collapse_to_one_line
from crm.notifications.lines import NotificationLine, lines
from crm.notifications.models import Notification
from crm.users.models import Membership

TEMPLATES = ("notifications/mail/news.txt", "notifications/mail/news.html")
SUBJECT_LENGTH = 150


def send(notifications: Sequence[Notification], recipient: Membership, *, key: str, daily: bool = False) -> None:
    """Mail the notifications to the one they are for. `key` makes the Message-ID: a second sending has the same.

    Raises whatever the mail server's refusal raises.
    """
    news = lines(notifications, recipient.actor(Channel.SYSTEM))
    context = {"lines": news, "recipient": recipient, "site": site(), "daily": daily}
    zone = ZoneInfo(recipient.user.timezone or recipient.workspace.timezone)
    with timezone.override(zone):
        text, html = (render_to_string(template, context) for template in TEMPLATES)
    message_id = f"<{key}@{urlsplit(site()).hostname}>"
    mail = EmailMultiAlternatives(
        _subject(news, recipient),
        text,
        settings.DEFAULT_FROM_EMAIL,
        [recipient.user.email],
        headers={"Message-ID": message_id},
    )
    mail.attach_alternative(html, "text/html")
    mail.send()


def _subject(told: Sequence[NotificationLine], recipient: Membership) -> str:
    if len(told) > 1:
        return collapse_to_one_line(f"{len(told)} notifications from {recipient.workspace}")
    return collapse_to_one_line(told[0].text)[:SUBJECT_LENGTH]
