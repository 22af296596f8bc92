"""Opportunities of contacts."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q

from contacts.models import Company, Contact
from crm.entities.fields import Choice
from crm.kit.ids import new_id
from crm.kit.translation import gettext_lazy as _
from crm.opportunities.axes import OPEN, STAGE
from crm.records.models import LIVE, Record
from crm.users.visibility import RecordManager, RecordQuerySet


class OpportunityQuerySet(RecordQuerySet):
    """Opportunities by status."""

    def open(self):
        """Filter to opportunities neither won nor lost nor in the trash."""
        return self.live().filter(stage__in=OPEN)


class OpportunityManager(RecordManager.from_queryset(OpportunityQuerySet)):  # type: ignore[misc]
    """`objects` of opportunities."""


class Opportunity(Record):
    """A possible purchase of a contact, and its progress. A contact may have many (source 000)."""

    # Only names of linked records, which all viewers of the link can see.
    SEARCHED = ("search_text", "contact__name_key", "company__name_key")

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "opp"))
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    contact = models.ForeignKey(Contact, models.RESTRICT, related_name="opportunities")
    company = models.ForeignKey(Company, models.RESTRICT, null=True, blank=True, related_name="opportunities")
    stage = models.CharField(
        max_length=13, default="prospecting", editable=False, choices=[(c.value, c.label) for c in STAGE.values]
    )
    stage_since = models.DateTimeField(editable=False)
    amount = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)  # ISO 4217
    probability = models.DecimalField(max_digits=5, decimal_places=4)  # a fraction: 0.5 is 50 %
    close_date = models.DateField(null=True, blank=True)
    next_step = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=100, blank=True)
    lost_reason = models.TextField(blank=True, editable=False)
    won_at = models.DateTimeField(null=True, editable=False)
    lost_at = models.DateTimeField(null=True, editable=False)
    objects: ClassVar[OpportunityManager] = OpportunityManager()

    class Meta(Record.Meta):
        abstract = False
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        constraints = [
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="opportunity_external_id"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=[c.value for c in STAGE.values]), name="opportunity_stage_known"
            ),
            models.CheckConstraint(
                condition=Q(stage="won", won_at__isnull=False) | (~Q(stage="won") & Q(won_at__isnull=True)),
                name="opportunity_won_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(stage="lost", lost_at__isnull=False) | (~Q(stage="lost") & Q(lost_at__isnull=True)),
                name="opportunity_lost_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="opportunity_probability_range"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0), name="opportunity_amount_positive"
            ),
        ]
        indexes = [
            # The list by close date, and the board's columns; and the three branches of a rep's view.
            models.Index(fields=["workspace", "close_date", "id"], name="opportunity_closing", condition=LIVE),
            models.Index(fields=["workspace", "stage", "close_date", "id"], name="opportunity_stage", condition=LIVE),
            models.Index(
                fields=["workspace", "owner", "close_date", "id"],
                name="opportunity_owner",
                condition=LIVE,
                include=["stage", "team"],
            ),
            models.Index(
                fields=["workspace", "team", "close_date", "id"],
                name="opportunity_team",
                condition=LIVE,
                include=["stage", "owner"],
            ),
            models.Index(fields=["workspace", "name_key", "id"], name="opportunity_by_name", condition=LIVE),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/opportunity/{self.public_id}"

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN

    @property
    def stage_shown(self) -> Choice:
        return STAGE.value(self.stage)
