"""Notifications for display: a sentence and a link, with names only of visible records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from audit.subjects import subject
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _
from crm.lists.spec import spec_of
from crm.notifications.kinds import NOTIFICATION_KINDS, NotificationKind
from crm.notifications.models import Notification

GONE = _("You no longer have access to this record.")
RELATED = {"lead": ("contact",)}  # links needed for a record's URL


@dataclass(frozen=True)
class NotificationLine:
    """One notification for display. `url` is '' if the record is not visible (any longer)."""

    notification: Notification
    kind: NotificationKind
    html: SafeString
    text: str
    url: str

    @property
    def note(self) -> str:
        return self.notification.text if self.url else str(GONE)


def lines(notifications: Sequence[Notification], by: Actor) -> list[NotificationLine]:
    """Return a line for each of the actor's notifications. One statement per entity."""
    seen = {entity: _seen(entity, notifications, by) for entity in {item.entity for item in notifications}}
    return [_line(item, seen[item.entity].get(item.entity_id)) for item in notifications]


def _seen(entity: str, notifications: Iterable[Notification], by: Actor) -> dict[int, Model]:
    ids = [item.entity_id for item in notifications if item.entity == entity]
    model: Any = subject(entity).model
    rows = model.objects.visible_to(by).filter(pk__any_of=ids)
    return rows.select_related(*RELATED.get(entity, ())).in_bulk()


def _line(item: Notification, record: Any) -> NotificationLine:
    kind = NOTIFICATION_KINDS[item.kind]
    if item.count > 1:
        asked = {"view": "all", "where": kind.which, "change": str(item.change)}
        url = f"/{spec_of(item.entity).path}?{urlencode(asked)}"
    else:
        url = record.get_absolute_url() if record else ""
    sentence, names = _sentence(kind, item, record), {"actor": item.actor or "Throughline", "record": record or "…"}
    count = formats.number(item.count)
    html = format_html(sentence, count=count, **{key: _strong(name) for key, name in names.items()})
    return NotificationLine(item, kind, html, sentence.format(count=count, **names), url)


def _sentence(kind: NotificationKind, item: Notification, record: Any) -> str:
    """Return the sentence, with placeholders for names; none for a hidden record."""
    if item.count > 1 and kind.many:
        return kind.many(item.entity, item.count)
    return str(kind.sentence if record or not kind.unseen else kind.unseen)


def _strong(value: Any) -> str:
    return format_html("<strong>{}</strong>", value)
