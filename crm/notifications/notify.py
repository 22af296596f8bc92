"""notify(): the only writer of notifications."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from crm.events.publish import publish
from crm.kit.actor import Actor
from crm.notifications.kinds import Channel, NotificationKind
from crm.notifications.models import Notification, Preference
from crm.users.models import Membership

MAILS = {Channel.MAIL: Notification.Mail.NOW, Channel.DIGEST: Notification.Mail.DIGEST}


@dataclass(frozen=True)
class NewNotification:
    """What one member is to be told: of which record (or the first of `count`), what happened (`key`), and when.

    `text`: a sentence beside it, which names nobody.
    """

    recipient: int
    entity: str
    entity_id: int
    key: str
    at: datetime
    count: int = 1
    text: str = ""


def notify(kind: NotificationKind, news: Iterable[NewNotification], *, by: Actor) -> None:
    """Tell members what `by` did; nobody of their own doings, nobody who left or wants nothing of this kind.

    A few statements however many. What was told before (same recipient, kind and key) is not told again; its count is
    put right, for a bulk action of more than ten thousand is recorded in several parts.
    """
    wanted = [item for item in news if item.recipient != by.member_id]
    channels = _channels({item.recipient for item in wanted}, kind) if wanted else {}
    rows = [_row(kind, item, channels[item.recipient], by) for item in wanted if item.recipient in channels]
    if rows:
        _write(rows, by)


def _channels(members: set[int], kind: NotificationKind) -> dict[int, str]:
    """How each of those who work here wants to be told, less those who want nothing."""
    members_here = Membership.objects.active().filter(pk__any_of=members).values_list("pk", flat=True)
    chosen = dict(Preference.objects.filter(member__in=members).values_list("member_id", "channels"))
    found = {pk: chosen.get(pk, {}).get(kind.name, kind.channel) for pk in members_here}
    return {pk: channel for pk, channel in found.items() if channel != Channel.NOTHING}


def _row(kind: NotificationKind, news: NewNotification, channel: str, by: Actor) -> Notification:
    return Notification(
        workspace_id=by.workspace_id,
        recipient_id=news.recipient,
        kind=kind.name,
        entity=news.entity,
        entity_id=news.entity_id,
        count=news.count,
        text=news.text,
        key=news.key,
        change=by.change,
        actor_id=by.member_id,
        at=news.at,
        mail=MAILS.get(Channel(channel)),
    )


@transaction.atomic
def _write(rows: Sequence[Notification], by: Actor) -> None:
    """The rows, and an outbox row for each that is to be mailed at once: it is delivered until the mail has left."""
    once = ["recipient", "kind", "key"]
    Notification.objects.bulk_create(rows, update_conflicts=True, unique_fields=once, update_fields=["count"])
    # Of a row that was there before the public id is another one.
    ids = [row.public_id for row in rows if row.mail == Notification.Mail.NOW]
    if ids:
        publish("notification.made", Notification.objects.filter(public_id__any_of=ids), by=by)
