"""Kinds of notification, each declared once by its app."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import models

from crm.kit.registry import Registry
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import ngettext, pgettext_lazy


class Channel(models.TextChoices):
    """A member's channel for a kind; the bell shows all but Off."""

    BELL = "bell", _("In-app only")
    MAIL = "mail", _("Email immediately")
    DIGEST = "digest", _("Daily email digest")
    NOTHING = "nothing", pgettext_lazy("notifications", "Off")


@dataclass(frozen=True)
class NotificationKind:
    """A kind of notification.

    `sentence` contains {actor} and {record}, `unseen` only {actor}, for readers who may not see the record. For
    notifications about many records `many(entity, count)` returns a sentence with {actor} and {count}, and `which` is
    the condition for the changed records that concern the reader. `reason` is the sentence at the end of emails.
    `channel` is the default.
    """

    name: str
    label: str
    icon: str
    sentence: str
    reason: str
    channel: Channel = Channel.BELL
    many: Callable[[str, int], str] | None = None
    which: str = "owner = me"
    unseen: str = ""


NOTIFICATION_KINDS: Registry[NotificationKind] = Registry("kind of notification")  # not a text


def register(kind: NotificationKind) -> NotificationKind:
    """Register a kind, which adds it to every member's settings. Raises ValueError for a duplicate name."""
    return NOTIFICATION_KINDS.add(kind.name, kind)


def _assigned(entity: str, count: int) -> str:
    match entity:
        case "contact":
            return ngettext(
                "{actor} assigned {count} contact to you", "{actor} assigned {count} contacts to you", count
            )
        case "company":
            return ngettext(
                "{actor} assigned {count} company to you", "{actor} assigned {count} companies to you", count
            )
        case "lead":
            return ngettext("{actor} assigned {count} lead to you", "{actor} assigned {count} leads to you", count)
    return ngettext("{actor} assigned {count} record to you", "{actor} assigned {count} records to you", count)


def _sales_qualified(entity: str, count: int) -> str:
    return ngettext(
        "{count} of your leads became Sales Qualified", "{count} of your leads became Sales Qualified", count
    )


def _overdue(entity: str, count: int) -> str:
    return ngettext("First contact is overdue for {count} lead", "First contact is overdue for {count} leads", count)


ASSIGNED = register(
    NotificationKind(
        "assigned",
        _("A contact, company or lead is assigned to me"),
        "user-check",
        _("{actor} assigned {record} to you"),
        _("You’re receiving this because someone assigned it to you."),
        many=_assigned,
        unseen=_("{actor} assigned a record to you"),
    )
)
MENTIONED = register(
    NotificationKind(
        "mentioned",
        _("Someone mentions me"),
        "at-sign",
        _("{actor} mentioned you on {record}"),
        _("You’re receiving this because someone mentioned you."),
        Channel.MAIL,
        unseen=_("{actor} mentioned you on a record"),
    )
)
TASK_DUE = register(
    NotificationKind(
        "task_due",
        _("An activity assigned to me is due"),
        "alarm-clock",
        _("Reminder: {record}"),
        _("You’re receiving this because the activity is assigned to you."),
        unseen=_("An activity is due"),
    )
)
SALES_QUALIFIED = register(
    NotificationKind(
        "sales_qualified",
        _("One of my leads becomes Sales Qualified"),
        "badge-check",
        _("{record} is now Sales Qualified"),
        _("You’re receiving this because you own the lead."),
        many=_sales_qualified,
        unseen=_("A lead is now Sales Qualified"),
    )
)
LEAD_OVERDUE = register(
    NotificationKind(
        "lead_overdue",
        _("A first-contact SLA is breached"),
        "alarm-clock",
        _("First contact with {record} is overdue"),
        _("You’re receiving this because you own the lead or manage its owner."),
        many=_overdue,
        which="",
        unseen=_("First contact with a lead is overdue"),
    )
)
