"""What members are told, how they want to be told, and the daily mails in which they were.

None of it is a business record: a notification says that something happened, and the audit log has what did. That a
person has read it is nobody else's business. Only what they choose to be told, a setting, is audited.
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
    """How a member wants to be told: `channels` maps a kind to a Channel; for what it leaves out the kind's own."""

    member = models.OneToOneField(Membership, models.CASCADE, related_name="+")
    channels = models.JSONField(default=dict)

    def __str__(self):
        return str(self.member)


class Digest(Owned):
    """One day's mail to a member about what they were told since the last."""

    recipient = models.ForeignKey(Membership, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()  # where the recipient is
    sent_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["recipient", "day"], name="digest_once_a_day")]

    def __str__(self):
        return f"{self.recipient} {self.day}"


class NotificationQuerySet(WorkspaceQuerySet):
    """Notifications, by whose they are and whether they were seen."""

    def of(self, by: Actor):
        """Those of the actor; nobody sees another's."""
        return self.filter(recipient=by.member_id)

    def unread(self):
        return self.filter(read_at__isnull=True)

    def to_mail(self):
        """Still to be mailed, to people who work here and have not read them meanwhile."""
        return self.unread().filter(mail__isnull=False, recipient__is_active=True)


class NotificationManager(WorkspaceManager.from_queryset(NotificationQuerySet)):  # type: ignore[misc]
    """`objects` of notifications."""


class Notification(Owned):
    """Something that a member is told. It names its record by key only: who may not see that any more reads no name.

    `key` is what happened, once: a user action, an activity that mentions, a task and when it is due. Telling it a
    second time changes nothing. `count` records were concerned; `entity_id` is the first of them. `text` is what a
    workflow's author has to say beside it, the same of every record.
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
    mail = models.CharField(max_length=6, choices=Mail.choices, null=True)  # null: not to be mailed (any more)
    mailed_at = models.DateTimeField(null=True)
    digest = models.ForeignKey(Digest, models.SET_NULL, null=True, related_name="notifications")
    objects: ClassVar[NotificationManager] = NotificationManager()

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["recipient", "kind", "key"], name="notification_once")]
        # Conditions are "is (not) null": SQLite would not recognise a value that is passed as a parameter.
        indexes = [
            models.Index(fields=["workspace", "recipient", "-at", "-id"], name="notification_latest"),
            models.Index(fields=["workspace", "recipient"], name="notification_unread", condition=Q(read_at=None)),
            models.Index(fields=["workspace", "mail"], name="notification_to_mail", condition=Q(mail__isnull=False)),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"
