"""notify(): the only writer of notifications."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from crm.events.bell import ring_on_commit
from crm.events.models import Event
from crm.kit.actor import Actor
from crm.kit.sql import insert_select
from crm.notifications.kinds import Channel, NotificationKind
from crm.notifications.models import Notification, Preference
from crm.users.models import Membership

MAILS = {Channel.MAIL: Notification.Mail.NOW, Channel.DIGEST: Notification.Mail.DIGEST}


@dataclass(frozen=True)
class News:
    """What one member is to be told: of which record (or the first of `count`), what happened (`key`), and when."""

    recipient: int
    entity: str
    entity_id: int
    key: str
    at: datetime
    count: int = 1


def notify(kind: NotificationKind, news: Iterable[News], *, by: Actor) -> None:
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
    here = Membership.objects.active().filter(pk__any_of=members).values_list("pk", flat=True)
    chosen = dict(Preference.objects.filter(member__in=members).values_list("member_id", "channels"))
    found = {pk: chosen.get(pk, {}).get(kind.name, kind.channel) for pk in here}
    return {pk: channel for pk, channel in found.items() if channel != Channel.NOTHING}


def _row(kind: NotificationKind, news: News, channel: str, by: Actor) -> Notification:
    return Notification(
        workspace_id=by.workspace_id,
        recipient_id=news.recipient,
        kind=kind.name,
        entity=news.entity,
        entity_id=news.entity_id,
        count=news.count,
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


def publish(name: str, rows, *, by: Actor) -> None:
    """Write an event for each of `rows`, which are not business records: the outbox row without an audit entry."""
    now = timezone.now()
    shared = {"workspace_id": by.workspace_id, "member_id": by.member_id, "channel": by.channel, "change": by.change}
    about = {"name": name, "entity": name.partition(".")[0], "entity_id": F("pk")}
    if insert_select(Event, rows, shared | about | {"at": now, "recorded_at": now, "waiting": True}):
        ring_on_commit()
