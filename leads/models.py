"""Leads: the qualification cycles of contacts, and their scores."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q

from contacts.models import Contact
from crm.entities.fields import Choice
from crm.kit import formats
from crm.kit.ids import new_id
from crm.kit.text import LONGEST, search_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis
from crm.opportunities.models import Opportunity
from crm.records.models import LIVE, Record
from crm.users.models import Owned
from crm.users.visibility import RecordManager, RecordQuerySet
from leads.assignment import models as assignment_models  # noqa: F401 (found by Django through this module)
from leads.axes import BY_SCORE, OPEN, STAGE, STATUS


class LeadQuerySet(RecordQuerySet):
    """Leads by status."""

    FINAL = (Q(status="converted"), _("Converted leads are read-only."))

    def open(self):
        """Filter to leads neither converted nor lost nor in the trash."""
        return self.live().filter(status__in=OPEN)


class LeadManager(RecordManager.from_queryset(LeadQuerySet)):  # type: ignore[misc]
    """`objects` of leads."""


def found_by(source: str, campaign: str = "") -> str:
    """Return a lead's search text; its contact has its own."""
    return search_key(f"{source} {campaign}")


def _values(axis: Axis) -> list[tuple[str, str]]:
    return [(choice.value, choice.label) for choice in axis.values]


# Why: docs/decisions/0001-one-contact-for-life.md
class Lead(Record):
    """A qualification cycle of a contact, at most one of them open. Name and email are the contact's."""

    SEARCHED = ("search_text", "contact__search_text")
    MADE_OF = frozenset({"source", "campaign"})
    LOCKED_FIRST = "contact"  # scoring a changed field may qualify the contact

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "lead"))
    contact = models.ForeignKey(Contact, models.RESTRICT, related_name="leads")
    status = models.CharField(max_length=9, default="new", editable=False, choices=_values(STATUS))
    status_since = models.DateTimeField(editable=False)
    stage = models.CharField(max_length=19, default="top_of_funnel", editable=False, choices=_values(STAGE))
    stage_since = models.DateTimeField(editable=False)
    source = models.CharField(max_length=100, blank=True)
    campaign = models.CharField(max_length=100, blank=True)
    fleet_size = models.PositiveIntegerField(null=True, blank=True)
    country = models.CharField(max_length=2, blank=True)  # ISO 3166 alpha-2
    description = models.TextField(blank=True, max_length=LONGEST)
    estimated_value = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)  # ISO 4217
    # A manually set stage holds until then against a lower score (DESIGN 1.2).
    floor_stage = models.CharField(max_length=19, blank=True, editable=False)
    floor_until = models.DateTimeField(null=True, editable=False)
    floor_reason = models.TextField(blank=True, editable=False)
    # First-contact deadline, and the first contact.
    contact_by = models.DateTimeField(null=True, editable=False)
    contacted_at = models.DateTimeField(null=True, editable=False)
    overdue_at = models.DateTimeField(null=True, editable=False)  # when the missed deadline was noticed
    # Earlier engagement belongs to the previous cycle; null: all of it counts.
    counts_from = models.DateTimeField(null=True, editable=False)
    qualified_date = models.DateTimeField(null=True, editable=False)
    converted_date = models.DateTimeField(null=True, editable=False)
    # When the contact became a customer without a known opportunity, from an import.
    won_date = models.DateTimeField(null=True, editable=False)
    lost_date = models.DateTimeField(null=True, editable=False)
    lost_reason = models.TextField(blank=True, editable=False)
    opportunity = models.OneToOneField(Opportunity, models.RESTRICT, null=True, editable=False, related_name="lead")
    objects: ClassVar[LeadManager] = LeadManager()

    class Meta(Record.Meta):
        abstract = False
        verbose_name = _("lead")
        constraints = [
            # Concurrent captures or reopenings create only one lead.
            models.UniqueConstraint("contact", condition=LIVE & Q(status__in=OPEN), name="lead_one_open"),
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="lead_external_id"
            ),
            models.CheckConstraint(condition=Q(status__in=[c.value for c in STATUS.values]), name="lead_status_known"),
            models.CheckConstraint(condition=Q(stage__in=[c.value for c in STAGE.values]), name="lead_stage_known"),
            models.CheckConstraint(
                condition=Q(
                    Q(opportunity__isnull=False, won_date__isnull=True)
                    | Q(opportunity__isnull=True, won_date__isnull=False),
                    status="converted",
                    stage="opportunity",
                    converted_date__isnull=False,
                )
                | Q(
                    ~Q(status="converted"),
                    ~Q(stage="opportunity"),
                    opportunity__isnull=True,
                    converted_date__isnull=True,
                    won_date__isnull=True,
                ),
                name="lead_converted_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(status="lost", lost_date__isnull=False) | (~Q(status="lost") & Q(lost_date__isnull=True)),
                name="lead_lost_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(floor_stage="", floor_until__isnull=True)
                | Q(floor_stage__in=BY_SCORE[1:], floor_until__isnull=False),
                name="lead_floor_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(estimated_value__isnull=True) | Q(estimated_value__gte=0), name="lead_value_positive"
            ),
        ]
        indexes = [
            # The list, newest first, by stage and status; and the three branches of a rep's view.
            models.Index(fields=["workspace", "-created_at", "-id"], name="lead_newest", condition=LIVE),
            models.Index(fields=["workspace", "stage", "-created_at", "-id"], name="lead_stage", condition=LIVE),
            models.Index(fields=["workspace", "status", "-created_at", "-id"], name="lead_status", condition=LIVE),
            models.Index(
                fields=["workspace", "owner", "-created_at", "-id"],
                name="lead_owner",
                condition=LIVE,
                include=["status", "stage", "team"],
            ),
            models.Index(
                fields=["workspace", "team", "-created_at", "-id"],
                name="lead_team",
                condition=LIVE,
                include=["status", "stage", "owner"],
            ),
            # First contacts still due, most urgent first.
            models.Index(
                fields=["workspace", "contact_by", "id"],
                name="lead_first_contact",
                condition=LIVE & Q(status__in=OPEN, contact_by__isnull=False, contacted_at__isnull=True),
            ),
            # Those that became overdue unnoticed. No value in the condition: SQLite compares it as text.
            models.Index(
                fields=["workspace", "contact_by"],
                name="lead_overdue",
                condition=Q(contact_by__isnull=False, contacted_at__isnull=True, overdue_at__isnull=True),
            ),
        ]

    def __str__(self):
        return self.contact.name

    def get_absolute_url(self):
        """Return the record's page; on its contact's page the lead is a panel."""
        return f"/qualification/{self.public_id}"

    @property
    def name(self) -> str:
        return self.contact.name

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_awaited(self) -> bool:
        return self.is_open and self.contacted_at is None and self.contact_by is not None

    @property
    def stage_choice(self) -> Choice:
        return STAGE.value(self.stage)

    @property
    def is_final(self) -> bool:
        return self.status == "converted"

    def derive(self) -> tuple[str, ...]:
        self.search_text = found_by(self.source, self.campaign)
        return ("search_text",)


class ScoringModel(Owned):
    """A version of the scoring model; the highest version is active. Immutable once saved."""

    version = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    rules = models.JSONField()  # see leads/scoring/rules.py
    half_life = models.PositiveSmallIntegerField()  # days in which an event loses half its points
    epoch = models.DateTimeField()  # the reference time of stored sums
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("scoring model")
        constraints = [models.UniqueConstraint(fields=["workspace", "version"], name="scoring_model_version")]

    def __str__(self):
        return gettext("{name}, version {version}").format(name=self.name, version=self.version)


class Score(Owned):
    """A lead's score as of `scored_at`.

    A separate table without indexes on its values: a million rows are updated in place (PERFORMANCE: HOT updates), five
    times faster than as columns of an indexed table.
    """

    lead = models.OneToOneField(Lead, models.CASCADE, related_name="score")
    model = models.ForeignKey(ScoringModel, models.RESTRICT, related_name="+", db_index=False)
    engagement_sum = models.FloatField()  # Σ points · 2^((occurred_at − epoch) / half-life), never rounded
    fit = models.PositiveSmallIntegerField()  # 0–60
    engagement = models.PositiveSmallIntegerField()  # 0–100
    score_tenths = models.PositiveSmallIntegerField()  # 0–1000
    scored_at = models.DateTimeField()
    partial = models.BooleanField(default=False)  # the sum lacks events after scored_at

    class Meta(Owned.Meta):
        abstract = False

    def __str__(self):
        return formats.number(self.score_tenths / 10, 1)


class ScoringRun(Owned):
    """A recalculation of a workspace's open leads at one instant; resumed where it stopped.

    `scored` and `cursor` are lead ids: up to these, scores and stages are done. `full`: from the events, not from the
    sums. `exact`: also leads scored later than `at` (a requested past instant); a run as of now skips those.
    """

    at = models.DateTimeField()
    full = models.BooleanField(default=False)
    exact = models.BooleanField(default=False)
    change = models.UUIDField()
    scored = models.BigIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    leads = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    up = models.PositiveIntegerField(default=0)
    down = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [
            # Concurrent starts share one run.
            models.UniqueConstraint("workspace", condition=Q(finished_at__isnull=True), name="scoring_run_one_open"),
        ]

    def __str__(self):
        return gettext("As of {moment}").format(moment=formats.moment(self.at))
