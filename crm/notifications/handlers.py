"""Handlers that send notification email. Failed deliveries are retried, and at last kept as failed.

A crash between sending and recording may send an email twice, with the same Message-ID.
"""

from django.utils import timezone

from crm.events.handlers import handles
from crm.kit.actor import Actor
from crm.notifications.mails import send
from crm.notifications.models import Digest, Notification
from crm.users.models import Membership


@handles("notification.made", queue="mail", outward=True)
def mail_now(event, *, by: Actor) -> None:
    """Email one notification, unless already sent or read."""
    rows = Notification.objects.filter(pk=event.entity_id, mail__isnull=False)
    for item in rows.to_mail().select_related("actor__user"):
        send([item], _recipient(item.recipient_id), key=item.public_id)
    rows.update(mail=None, mailed_at=timezone.now())


@handles("digest.made", queue="mail", outward=True)
def mail_digest(event, *, by: Actor) -> None:
    """Email a member's daily digest without read notifications; nothing if none are left."""
    digest = Digest.objects.get(pk=event.entity_id)
    rows = Notification.objects.filter(digest=digest, mail__isnull=False)
    items = list(rows.to_mail().select_related("actor__user").order_by("at", "id"))
    if items:
        send(items, _recipient(digest.recipient_id), key=f"digest-{digest.pk}", daily=True)
    now = timezone.now()
    rows.update(mail=None, mailed_at=now)
    Digest.objects.filter(pk=digest.pk, sent_at__isnull=True).update(sent_at=now)


def _recipient(pk: int) -> Membership:
    return Membership.objects.select_related("user", "workspace").get(pk=pk)
