"""What people are told of: each kind of notification is declared once, by the app whose news it is."""

from dataclasses import dataclass

from django.db import models

from crm.kit.registry import Registry


class Channel(models.TextChoices):
    """How somebody wants to be told; the bell shows all but nothing."""

    BELL = "bell", "Bell only"
    MAIL = "mail", "E-mail at once"
    DIGEST = "digest", "Daily e-mail"
    NOTHING = "nothing", "Nothing"


@dataclass(frozen=True)
class NotificationKind:
    """A kind of news.

    `sentence` holds {actor} and {record}; `many`, for the kinds that are told of many records at once, {actor},
    {count} and {records}; `which` is then the condition that, of what the change touched, the reader is told of.
    `reason` completes the mail's "You get this because …". `channel` is for whoever chose none.
    """

    name: str
    label: str
    icon: str
    sentence: str
    reason: str
    channel: Channel = Channel.BELL
    many: str = ""
    which: str = "owner = me"


_kinds: Registry[NotificationKind] = Registry("kind of notification")


def register(kind: NotificationKind) -> NotificationKind:
    """Make a kind known, and choosable in everybody's settings. Raises ValueError for a name that is taken."""
    return _kinds.add(kind.name, kind)


def kind_named(name: str) -> NotificationKind:
    """The kind called `name`. Raises KeyError."""
    return _kinds[name]


def all_kinds() -> list[NotificationKind]:
    return list(_kinds)


ASSIGNED = register(
    NotificationKind(
        "assigned",
        "Somebody assigns a contact, company or lead to me",
        "user-check",
        "{actor} assigned {record} to you",
        "somebody assigned it to you",
        many="{actor} assigned {count} {records} to you",
    )
)
MENTIONED = register(
    NotificationKind(
        "mentioned",
        "Somebody mentions me",
        "at-sign",
        "{actor} mentioned you on {record}",
        "somebody mentioned you",
        Channel.MAIL,
    )
)
TASK_DUE = register(
    NotificationKind("task_due", "A task of mine is due", "alarm-clock", "{record} is due", "the task is yours")
)
SALES_QUALIFIED = register(
    NotificationKind(
        "sales_qualified",
        "A lead of mine becomes sales-qualified",
        "badge-check",
        "{record} is sales-qualified",
        "the lead is yours",
        many="{count} {records} of yours are sales-qualified",
    )
)
LEAD_OVERDUE = register(
    NotificationKind(
        "lead_overdue",
        "A first contact is overdue",
        "alarm-clock",
        "The first contact with {record} is overdue",
        "the lead is yours, or you manage those who work it",
        many="The first contact is overdue with {count} {records}",
        which="",
    )
)
