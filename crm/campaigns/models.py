"""Campaigns and their recipients."""

from functools import partial
from typing import ClassVar

from django.db import models

from contacts.models import Contact
from crm.kit.actor import Actor
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.users.models import Membership, Owned
from crm.users.visibility import editable, visible


class Campaign(Owned):
    """An email to the contacts of a segment. `segment`: the slug of a contact view; '' for manually added contacts."""

    class Type(models.TextChoices):
        EMAIL = "email", _("Email")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SENDING = "sending", _("Sending")
        SENT = "sent", pgettext_lazy("campaign", "Sent")
        CANCELLED = "cancelled", _("Canceled")

    OPEN = (Status.DRAFT, Status.SENDING)
    TONES: ClassVar[dict[str, str]] = {"draft": "amber", "sending": "blue", "sent": "green", "cancelled": "grey"}
    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "campaign"))
    name = models.CharField(max_length=100)  # as long as a lead's campaign field
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.EMAIL)
    segment = models.SlugField(max_length=60, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("campaign")
        indexes = [models.Index(fields=["workspace", "status", "segment"], name="campaign_of_segment")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/campaign/{self.public_id}"

    @property
    def tone(self) -> str:
        return self.TONES[self.status]

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class CampaignPersonQuerySet(WorkspaceQuerySet):
    """Recipients, visible with their contact."""

    def visible_to(self, by: Actor):
        return self.filter(visible(by, "contact__"))

    def editable_by(self, by: Actor):
        """Filter to rows that the actor may change, e.g. by undoing a merge."""
        return self.filter(editable(by, "contact__"))


class CampaignPersonManager(WorkspaceManager.from_queryset(CampaignPersonQuerySet)):  # type: ignore[misc]
    """`objects` of campaign recipients."""


class CampaignPerson(Owned):
    """One contact in one campaign, emailed once. `reason`: why it was excluded or failed."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        LEFT_OUT = "left_out", _("Excluded")
        FAILED = "failed", _("Failed")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")

    TONES: ClassVar[dict[str, str]] = {
        "waiting": "blue",
        "sent": "green",
        "left_out": "grey",
        "failed": "red",
        "unsubscribed": "amber",
    }
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="people", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    objects: ClassVar[CampaignPersonManager] = CampaignPersonManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("campaign recipient")
        constraints = [models.UniqueConstraint(fields=["campaign", "contact"], name="campaign_person_once")]
        # A state's recipients, page by page; and whether any is still waiting.
        indexes = [models.Index(fields=["campaign", "state", "id"], name="campaign_person_state")]

    def __str__(self):
        return f"{self.contact} in {self.campaign}"

    @property
    def tone(self) -> str:
        return self.TONES[self.state]
