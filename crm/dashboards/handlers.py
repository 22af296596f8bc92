"""Emailed dashboards: each card's tables with the member's current data, with bars as table cells.

Email clients remove SVG, and images may be off; tables with colored cells work in every client.
"""

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone

from crm.dashboards.layout import chosen
from crm.dashboards.models import Subscription
from crm.dashboards.period import Period, today
from crm.dashboards.query import read_query
from crm.dashboards.show import content
from crm.events.handlers import handles
from crm.kit.actor import Actor, Channel
from crm.kit.language import speaking_to
from crm.kit.site import site
from crm.kit.text import collapse_to_one_line
from crm.kit.translation import gettext as _

TEMPLATES = ("dashboards/mail.txt", "dashboards/mail.html")
FILLS = {
    "amber": "#e3b04b",
    "blue": "#6b93e8",
    "green": "#56ab74",
    "red": "#d9736b",
    "grey": "#b0afa9",
    "violet": "#8f76dd",
}


@handles("dashboard_mail.due", queue="mail", outward=True)
def mail_dashboard(event, *, by: Actor) -> None:
    """Email one dashboard in the recipient's language, unless unsubscribed."""
    found = Subscription.objects.exclude(every="").filter(pk=event.entity_id, member__is_active=True)
    for wanted in found.select_related("member__user", "member__workspace"):
        member = wanted.member
        zone = ZoneInfo(member.user.timezone or member.workspace.timezone)
        with speaking_to(member.user, member.workspace), timezone.override(zone):
            _send(wanted, f"dashboard-{wanted.pk}-{event.pk}")


def _send(wanted: Subscription, key: str) -> None:
    """Send the email, with a stable Message-ID. Raises the mail server's errors."""
    member = wanted.member
    asked = read_query(QueryDict(_query(wanted)), member.actor(Channel.SYSTEM))
    parts = [(part, content(part, asked)) for part in chosen(asked.by)]
    context = {"parts": parts, "asked": asked, "member": member, "site": site(), "fills": FILLS, "now": asked.now}
    text, html = (render_to_string(template, context) for template in TEMPLATES)
    headers = {"Message-ID": f"<{key}@{urlsplit(site()).hostname}>"}
    subject = _("{workspace} pipeline report, {period}").format(workspace=member.workspace, period=asked.period)
    mail = EmailMultiAlternatives(
        collapse_to_one_line(subject), text, settings.DEFAULT_FROM_EMAIL, [member.user.email], headers=headers
    )
    mail.attach_alternative(html, "text/html")
    mail.send()


def _query(wanted: Subscription) -> str:
    params = QueryDict(wanted.query, mutable=True)
    last = today()
    period = Period(last.fromordinal(last.toordinal() - wanted.days + 1), last)
    params["from"], params["to"] = str(period.first), str(period.last)
    return params.urlencode()
