"""Opportunities of contacts, and the pipelines and stages through which a workspace takes them."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from contacts.models import ROLES, Company, Contact
from crm.entities.models import TONES
from crm.kit.actor import Actor
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.records.models import LIVE, Record
from crm.users.models import Owned
from crm.users.visibility import RecordManager, RecordQuerySet, editable, visible


class StageKind(models.TextChoices):
    """What a stage says of its opportunities. Fixed when a stage is created."""

    OPEN = "open", pgettext_lazy("state", "Open")
    WON = "won", pgettext_lazy("opportunity", "Won")
    LOST = "lost", pgettext_lazy("opportunity", "Lost")


class Pipeline(Owned):
    """A process of a workspace, e.g. sales. `key` is stored in opportunities; one pipeline is the default."""

    key = models.CharField(max_length=30)
    name = models.CharField(max_length=80)
    position = models.PositiveIntegerField(default=0)
    is_default = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="pipeline_key_unique"),
            models.UniqueConstraint("workspace", Lower("name"), name="pipeline_name_unique"),
            models.UniqueConstraint("workspace", condition=Q(is_default=True), name="pipeline_one_default"),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(archived_at__isnull=True), name="pipeline_default_in_use"
            ),
        ]

    def __str__(self):
        return self.name


class PipelineStage(Owned):
    """A stage of a pipeline. `key` is stored in opportunities, conditions and history, and unique in the workspace.

    `is_for_converted`: where opportunities of converted leads start. A stage is never deleted: archived, it still names
    what history holds. `pipeline`, `key` and `kind` never change.
    """

    KEYS = ((("workspace_id", "pipeline"), Pipeline, ("workspace_id", "key")),)
    TRAITS = ("probability", "tone", "is_for_converted", "expected_days")
    LOGGED = ("pipeline", "key", "label", "kind", "position", *TRAITS)

    pipeline = models.CharField(max_length=30)  # the key of a Pipeline
    key = models.CharField(max_length=30)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=4, choices=StageKind.choices, default=StageKind.OPEN)
    position = models.PositiveIntegerField(default=0)
    probability = models.DecimalField(max_digits=5, decimal_places=4, default=0)  # a fraction: 0.5 is 50 %
    tone = models.CharField(max_length=6, choices=list(TONES.items()), default="grey")
    is_for_converted = models.BooleanField(default=False)
    expected_days = models.PositiveSmallIntegerField(null=True)  # after which an opportunity is stuck; as in Definition
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="stage_key_unique"),
            # What the composite key of opportunities refers to.
            models.UniqueConstraint(fields=["workspace", "pipeline", "key", "kind"], name="stage_of_pipeline"),
            models.CheckConstraint(condition=Q(probability__gte=0, probability__lte=1), name="stage_probability_range"),
        ]

    def __str__(self):
        return self.label


class OpportunityQuerySet(RecordQuerySet):
    """Opportunities by status."""

    def open(self):
        """Filter to opportunities neither won nor lost nor in the trash."""
        return self.live().filter(stage_kind=StageKind.OPEN)


class OpportunityManager(RecordManager.from_queryset(OpportunityQuerySet)):  # type: ignore[misc]
    """`objects` of opportunities."""


class Opportunity(Record):
    """A possible purchase of a contact, or of a company alone, and its progress. Both may have many (source 000)."""

    # An opportunity stays inside its pipeline, and is won or lost as its stage says.
    KEYS = (
        (
            ("workspace_id", "pipeline", "stage", "stage_kind"),
            PipelineStage,
            ("workspace_id", "pipeline", "key", "kind"),
        ),
    )
    ALSO_LOGGED = ("pipeline", "stage_kind")
    # Only names of linked records, which all viewers of the link can see.
    SEARCHED = ("search_text", "contact__name_key", "company__name_key")

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "opp"))
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    contact = models.ForeignKey(Contact, models.RESTRICT, null=True, blank=True, related_name="opportunities")
    company = models.ForeignKey(Company, models.RESTRICT, null=True, blank=True, related_name="opportunities")
    pipeline = models.CharField(max_length=30, editable=False, db_default="sales")  # the key of a Pipeline
    stage = models.CharField(max_length=30, editable=False)  # the key of a PipelineStage
    stage_kind = models.CharField(max_length=4, choices=StageKind.choices, editable=False, db_default="open")
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
                condition=Q(stage_kind="won", won_at__isnull=False) | (~Q(stage_kind="won") & Q(won_at__isnull=True)),
                name="opportunity_won_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(stage_kind="lost", lost_at__isnull=False)
                | (~Q(stage_kind="lost") & Q(lost_at__isnull=True)),
                name="opportunity_lost_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(contact__isnull=False) | Q(company__isnull=False), name="opportunity_of_someone"
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
                fields=["workspace", "stage_kind", "close_date", "id"], name="opportunity_kind", condition=LIVE
            ),
            models.Index(
                fields=["workspace", "owner", "close_date", "id"],
                name="opportunity_owner",
                condition=LIVE,
                include=["stage_kind", "stage", "team"],
            ),
            models.Index(
                fields=["workspace", "team", "close_date", "id"],
                name="opportunity_team",
                condition=LIVE,
                include=["stage_kind", "stage", "owner"],
            ),
            models.Index(fields=["workspace", "name_key", "id"], name="opportunity_by_name", condition=LIVE),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/opportunity/{self.public_id}"

    @property
    def about(self) -> Contact | Company | None:
        """The contact, or the company of an opportunity without one. A constraint makes sure of one of them."""
        return self.contact or self.company

    @property
    def is_open(self) -> bool:
        return self.stage_kind == StageKind.OPEN


class OpportunityContactQuerySet(RecordQuerySet):
    """People on opportunities, visible and editable with the opportunity."""

    def visible_to(self, by: Actor):
        return self.filter(visible(by, "opportunity__"))

    def editable(self, by: Actor) -> Q:
        return editable(by, "opportunity__")


class OpportunityContactManager(WorkspaceManager.from_queryset(OpportunityContactQuerySet)):  # type: ignore[misc]
    """`objects` of people on opportunities."""


class OpportunityContact(Owned):
    """A further person on an opportunity. The primary one is `Opportunity.contact`, so there is never a second."""

    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="people", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="opportunity_roles", db_index=False)
    role = models.CharField(_("role"), max_length=20, blank=True, choices=ROLES)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects: ClassVar[OpportunityContactManager] = OpportunityContactManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("person on an opportunity")
        verbose_name_plural = _("people on opportunities")
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "contact"], condition=LIVE, name="opportunity_contact_once"),
        ]
        indexes = [
            models.Index(fields=["opportunity"], name="opportunity_contact_of", condition=LIVE),
            models.Index(fields=["contact"], name="opportunity_contact_who"),
        ]

    def __str__(self):
        return str(self.contact)
