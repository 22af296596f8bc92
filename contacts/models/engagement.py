"""Engagement: contacts' actions that show interest."""

from typing import ClassVar

from django.db import models

from contacts.models.contacts import Contact
from crm.kit.actor import Actor
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Owned
from crm.users.visibility import editable, visible


class EngagementQuerySet(WorkspaceQuerySet):
    """Events, visible and editable with their contact."""

    def visible_to(self, by: Actor):
        return self.filter(visible(by, "contact__"))

    def editable_by(self, by: Actor):
        return self.filter(editable(by, "contact__"))


class EngagementManager(WorkspaceManager.from_queryset(EngagementQuerySet)):  # type: ignore[misc]
    """`objects` of engagement events."""


class EngagementEvent(Owned):
    """A contact's action that shows interest, e.g. opening an email or requesting a demo. Stored once.

    `change` is the user action that recorded it: undoing that removes the event.
    """

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="engagement", db_index=False)
    kind = models.CharField(max_length=40)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    change = models.UUIDField()
    objects: ClassVar[EngagementManager] = EngagementManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("engagement event")
        constraints = [
            # Also the index of a contact's events in order.
            models.UniqueConstraint(fields=["contact", "occurred_at", "kind"], name="engagement_once"),
        ]

    def __str__(self):
        return f"{self.kind} at {self.occurred_at:%Y-%m-%d %H:%M}"
