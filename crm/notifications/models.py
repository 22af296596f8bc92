"""Notifications, preferences and daily digests.

None is a business record: the audit log has what happened. Reading a notification is private. Only preferences, as
settings, are audited.
"""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q

from crm.kit.actor import Actor
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned


class Preference(Owned):
    """A member's preferences: `channels` maps a kind to a Channel; others use the kind's default."""

    member = models.OneToOneField(Membership, models.CASCADE, related_name="+")
    channels = models.JSONField(default=dict)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("notification settings")

    def __str__(self):
        return str(self.member)


class Digest(Owned):
    """A daily email to a member with the notifications since the last."""

    recipient = models.ForeignKey(Membership, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()  # in the recipient's time zone
    sent_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["recipient", "day"], name="digest_once_a_day")]

    def __str__(self):
        return f"{self.recipient} {self.day}"


class NotificationQuerySet(WorkspaceQuerySet):
    """Notifications, by recipient and read state."""

    def of(self, by: Actor):
        """Filter to the actor's own; members never see others'."""
        return self.filter(recipient=by.member_id)

    def unread(self):
        return self.filter(read_at__isnull=True)

    def to_mail(self):
        """Filter to unsent emails for active members who have not read the notification."""
        return self.unread().filter(mail__isnull=False, recipient__is_active=True)


class NotificationManager(WorkspaceManager.from_queryset(NotificationQuerySet)):  # type: ignore[misc]
    """`objects` of notifications."""


class Notification(Owned):
    """A notification to a member. It stores only the record's key: readers who can't see the record see no name.

    `key` identifies the occasion: a user action, a mentioning activity, a task and its due date. Repeating it has no
    effect. `count` records are concerned; `entity_id` is the first. `text` is an addition by a workflow's author, equal
    for all records.
    """

    class Mail(models.TextChoices):
        NOW = "now", _("Waiting to be emailed")
        DIGEST = "digest", _("Waiting for the daily digest")

    public_id = models.CharField(max_length=25, unique=True, editable=False, default=partial(new_id, "notification"))
    recipient = models.ForeignKey(Membership, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    entity = models.CharField(max_length=40)
    entity_id = models.BigIntegerField()
    count = models.PositiveIntegerField(default=1)
    text = models.CharField(max_length=200, blank=True, default="", db_default="")
    key = models.CharField(max_length=100)
    change = models.UUIDField()
    actor = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=6, choices=Mail.choices, null=True)  # null: no email (any longer)
    mailed_at = models.DateTimeField(null=True)
    digest = models.ForeignKey(Digest, models.SET_NULL, null=True, related_name="notifications")
    objects: ClassVar[NotificationManager] = NotificationManager()

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["recipient", "kind", "key"], name="notification_once")]
        # Conditions are "is (not) null": SQLite would not match a value passed as a parameter.
        indexes = [
            models.Index(fields=["workspace", "recipient", "-at", "-id"], name="notification_latest"),
            models.Index(fields=["workspace", "recipient"], name="notification_unread", condition=Q(read_at=None)),
            models.Index(fields=["workspace", "mail"], name="notification_to_mail", condition=Q(mail__isnull=False)),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"
