"""Suppressions: email addresses that must not be emailed."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from crm.kit.actor import Actor, Role
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned


class SuppressionQuerySet(WorkspaceQuerySet):
    """Suppressions of the workspace, visible to all members, lifted by admins only."""

    def visible_to(self, by: Actor):
        return self.all()

    def editable_by(self, by: Actor):
        return self.all() if by.is_at_least(Role.ADMIN) else self.none()


class SuppressionManager(WorkspaceManager.from_queryset(SuppressionQuerySet)):  # type: ignore[misc]
    """`objects` of suppressions."""


class Suppression(Owned):
    """An email address that must not be emailed, with the reason. It belongs to the address, not to a contact.

    An address may have several reasons. It keeps only the address and no link to a contact, so that an erased person
    who is imported again is still not emailed.
    """

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("Bounced")
        COMPLAINT = "complaint", _("Complaint")
        MANUAL = "manual", _("Set by a member")

    email_key = models.CharField(max_length=254)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    source = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    objects: ClassVar[SuppressionManager] = SuppressionManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("suppression")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_key", "reason"], name="suppression_once"),
            models.CheckConstraint(condition=~Q(email_key=""), name="suppression_address"),
        ]

    def __str__(self):
        return f"{self.email_key} ({self.get_reason_display()})"
