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
    """A notification to create: recipient, record (or the first of `count`), occasion (`key`), and time.

    `text`: an additional sentence without names.
    """

    recipient: int
    entity: str
    entity_id: int
    key: str
    at: datetime
    count: int = 1
    text: str = ""


def notify(kind: NotificationKind, news: Iterable[NewNotification], *, by: Actor) -> None:
    """Notify members of what `by` did, except of their own actions, former members, and those who turned it off.

    A few statements for any number. A repetition (same recipient, kind and key) only corrects the count, because a bulk
    action on more than ten thousand records is recorded in parts.
    """
    wanted = [item for item in news if item.recipient != by.member_id]
    channels = _channels({item.recipient for item in wanted}, kind) if wanted else {}
    rows = [_row(kind, item, channels[item.recipient], by) for item in wanted if item.recipient in channels]
    if rows:
        _write(rows, by)


def _channels(members: set[int], kind: NotificationKind) -> dict[int, str]:
    """Map active members to their channel, without those who turned it off."""
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
    """Write the rows, and an outbox row for each immediate email, delivered until it is sent."""
    once = ["recipient", "kind", "key"]
    Notification.objects.bulk_create(rows, update_conflicts=True, unique_fields=once, update_fields=["count"])
    # An existing row has another public id.
    ids = [row.public_id for row in rows if row.mail == Notification.Mail.NOW]
    if ids:
        publish("notification.made", Notification.objects.filter(public_id__any_of=ids), by=by)
