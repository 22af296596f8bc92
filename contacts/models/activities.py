"""Activities and their participants."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.safestring import SafeString

from contacts.models.companies import Company
from contacts.models.contacts import Contact
from crm.kit.actor import Actor
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager
from crm.kit.text import LONGEST, search_key
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.records.models import LIVE, Record
from crm.users.models import Membership, Owned
from crm.users.visibility import RecordQuerySet, branches, editable


class ActivityQuerySet(RecordQuerySet):
    """Activities, visible and editable with their contact or company."""

    def branches(self, by: Actor) -> list[Q]:
        people = [Q(contact__isnull=False) & case for case in branches(by, "contact__")]
        return people + [Q(contact__isnull=True) & case for case in branches(by, "company__")]

    def editable(self, by: Actor) -> Q:
        person, company = editable(by, "contact__"), editable(by, "company__")
        return (Q(contact__isnull=False) & person) | (Q(contact__isnull=True) & company)


class ActivityManager(WorkspaceManager.from_queryset(ActivityQuerySet)):  # type: ignore[misc]
    """`objects` of activities."""


class Activity(Owned):
    """A completed or planned task, call, email, meeting or note.

    `occurred_at` is when it took place, set by its author; `done_at` when it was recorded as done. The owner logged or
    planned it, the assignee does it. `automatic`: logged by a workflow, not a conversation. It belongs to its contact,
    or else its company; further people are its participants, and it may be about one of their opportunities.

    Completing one that repeats plans the next: by the time of day and day of the month of `series_start`.

    Why: docs/decisions/0083-activities-belong-to-what-they-are-about.md
    """

    KINDS = (
        ("task", _("Task")),
        ("call", _("Call")),
        ("email", _("Email")),
        ("meeting", _("Meeting")),
        ("note", pgettext_lazy("activity", "Note")),
    )
    OUTCOMES = (  # of calls
        ("connected", _("Connected")),
        ("left_voicemail", _("Left voicemail")),
        ("no_answer", _("No answer")),
        ("busy", _("Busy")),
        ("wrong_number", _("Wrong number")),
    )
    CONNECTED = "connected"
    REMINDERS = (  # minutes before it is due
        ("0", _("When due")),
        ("15", _("15 minutes before")),
        ("60", _("1 hour before")),
        ("1440", _("1 day before")),
        ("10080", _("1 week before")),
    )
    REPEATS = (
        ("daily", _("Daily")),
        ("weekdays", _("On weekdays")),
        ("weekly", _("Weekly")),
        ("fortnightly", _("Every 2 weeks")),
        ("monthly", _("Monthly")),
        ("quarterly", _("Every 3 months")),
        ("yearly", _("Yearly")),
    )
    DERIVES_FROM: ClassVar[tuple[str, ...]] = ()
    present: list["Participant"]  # prefetched by contacts.activities.participants.with_participants()
    is_open: bool  # annotated by timelines: pending, and about their record
    attached = SafeString()  # set by timelines: what other apps show with it
    SEARCHED = ("subject_key", "contact__name_key", "company__name_key")

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "activity"))
    kind = models.CharField(max_length=10, choices=KINDS)
    subject = models.CharField(max_length=200)
    subject_key = models.CharField(max_length=200, editable=False, default="", db_default="")
    body = models.TextField(blank=True, max_length=LONGEST)
    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, blank=True, related_name="activities", db_index=False
    )
    company = models.ForeignKey(
        Company, models.CASCADE, null=True, blank=True, related_name="activities", db_index=False
    )
    # By name: opportunities build on this app.
    opportunity = models.ForeignKey(
        "opportunities.Opportunity", models.SET_NULL, null=True, blank=True, related_name="activities", db_index=False
    )
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    assignee = models.ForeignKey(Membership, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    status = models.CharField(
        max_length=10,
        default="pending",
        choices=[("pending", _("Pending")), ("done", _("Done")), ("cancelled", pgettext_lazy("activity", "Canceled"))],
    )
    priority = models.CharField(
        max_length=10, default="normal", choices=[("low", _("Low")), ("normal", _("Normal")), ("high", _("High"))]
    )
    due_at = models.DateTimeField(null=True, blank=True)
    reminder = models.CharField(max_length=5, blank=True, choices=REMINDERS, default="", db_default="0")
    repeats = models.CharField(max_length=11, blank=True, choices=REPEATS, default="", db_default="")
    series_start = models.DateTimeField(null=True, editable=False)
    done_at = models.DateTimeField(null=True, blank=True)
    occurred_at = models.DateTimeField(null=True, blank=True)
    # When it took place or is due: never null, so that lists can be sorted by it.
    at = models.GeneratedField(
        expression=Coalesce("occurred_at", "due_at", "created_at"),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    minutes = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=100, blank=True, choices=OUTCOMES)
    automatic = models.BooleanField(default=False, db_default=False, editable=False)
    sender = models.CharField(max_length=254, blank=True)
    recipients = models.TextField(blank=True, max_length=LONGEST)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects: ClassVar[ActivityManager] = ActivityManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints = [
            models.CheckConstraint(
                condition=Q(contact__isnull=False) | Q(company__isnull=False), name="activity_of_somebody"
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "assignee", "due_at"],
                name="activity_assigned",
                condition=LIVE & Q(status="pending"),
            ),
            models.Index(fields=["contact"], name="activity_contact", condition=Q(contact__isnull=False)),
            models.Index(fields=["company"], name="activity_company", condition=Q(company__isnull=False)),
            models.Index(fields=["opportunity"], name="activity_opportunity", condition=Q(opportunity__isnull=False)),
            models.Index(fields=["workspace", "at", "id"], name="activity_at", condition=LIVE),
        ]

    def __str__(self):
        return self.subject

    @property
    def about(self) -> Record:
        """The contact or else the company: one is set, by activity_of_somebody."""
        return self.contact or self.company  # type: ignore[return-value]

    @property
    def moment(self) -> datetime:
        """When a completed activity took place."""
        return self.occurred_at or self.created_at

    def get_absolute_url(self):
        return f"/activity/{self.public_id}"

    def derive(self) -> tuple[str, ...]:
        """Set the key that searching reads; return its name."""
        self.subject_key = search_key(self.subject)[:200]
        return ("subject_key",)

    @classmethod
    def derived(cls, records: Collection[Any], changed: Collection[str]) -> None:
        """Nothing elsewhere is derived from activities."""


class ParticipantQuerySet(RecordQuerySet):
    """Participants, visible and editable with their activity."""

    def visible_to(self, by: Actor):
        return self.filter(Exists(Activity.objects.visible_to(by).filter(pk=OuterRef("activity"))))

    def editable(self, by: Actor) -> Q:
        return Q(Exists(Activity.objects.editable_by(by).filter(pk=OuterRef("activity"))))


class ParticipantManager(WorkspaceManager.from_queryset(ParticipantQuerySet)):  # type: ignore[misc]
    """`objects` of participants."""


class Participant(Owned):
    """A further person in an activity. The first one is `Activity.contact`, so there is never a second."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="participants", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="participations", db_index=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects: ClassVar[ParticipantManager] = ParticipantManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            # Also the index of an activity's participants.
            models.UniqueConstraint(fields=["activity", "contact"], condition=LIVE, name="participant_once"),
        ]
        indexes = [models.Index(fields=["contact"], name="participant_contact")]

    def __str__(self):
        return str(self.contact)
