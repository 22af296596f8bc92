"""The retired lead entity (source 000): its table, the runs that moved it, and who still looks for it."""

import uuid
from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q

from contacts.models import Contact
from crm.kit.ids import new_id
from crm.kit.text import LONGEST, digits, search_key
from crm.legacy_leads.reads import count_read
from crm.opportunities.models import Opportunity
from crm.records.models import LIVE, Record, choices
from crm.users.models import Membership, Owned, Team
from crm.users.visibility import RecordManager, RecordQuerySet

ACTIVE = ("new", "working", "qualified")


class MigrationRun(Owned):
    """One migration of a workspace's old leads, from its first batch to its undoing. `change` is what to undo.

    It may take several processes: one that was killed leaves whole batches, and the next goes on with this row.
    Amounts are by currency, as {"EUR": "1500.50"}.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        COMMITTED = "committed", "Committed"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    BUSY = (State.RUNNING, State.UNDOING)  # also after a crash: half of the leads are somewhere else
    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "migration"))
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")  # null: the system
    include_lost = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.RUNNING)
    change = models.UUIDField(default=uuid.uuid4)
    leads = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    reused = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    opportunities = models.PositiveIntegerField(default=0)
    amount_in = models.JSONField(default=dict)
    amount_opportunities = models.JSONField(default=dict)
    amount_listed = models.JSONField(default=dict)
    kept = models.JSONField(default=list)  # by the undo: [entity, public id, sentence]
    # Started from a page: a scheduled job continues it after a crash. A run of the command waits for the command.
    in_background = models.BooleanField(default=False, db_default=False)
    problem = models.TextField(default="", db_default="")  # why it stopped and is not continued
    started_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        db_table = "leads_migrationrun"
        abstract = False
        verbose_name = "lead migration"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                "workspace", condition=Q(state__in=("running", "undoing")), name="migration_run_one_at_a_time"
            ),
        ]

    def __str__(self):
        return f"{self.public_id} of {self.started_at:%Y-%m-%d}"


class LegacyLeadQuerySet(RecordQuerySet):
    """Old leads by what becomes of them. Whatever reads them is counted (crm.legacy_leads.reads)."""

    FINAL = (Q(archived_at__isnull=False), "This lead is archived: it no longer changes.")

    def _fetch_all(self):
        if self._result_cache is None:
            count_read()
        super()._fetch_all()

    def iterator(self, *args, **kwargs):
        count_read()
        return super().iterator(*args, **kwargs)

    def aggregate(self, *args, **kwargs):
        count_read()
        return super().aggregate(*args, **kwargs)

    def count(self):
        count_read()
        return super().count()

    def exists(self):
        count_read()
        return super().exists()


class LegacyLeadManager(RecordManager.from_queryset(LegacyLeadQuerySet)):  # type: ignore[misc]
    """`objects` of old leads."""


class LegacyLead(Record):
    """A lead of the entity that was retired in April 2026: a person and a deal in one row, beside the contacts.

    `contact` is whom somebody linked it to. What it became is `became_contact` and `became_opportunity`; why, and what
    became of its value, is in `outcome`, `outcome_note` and `value_note` as the last `run` wrote them.
    """

    class Outcome(models.TextChoices):
        CREATED = "created", "Became a new contact"
        REUSED = "reused", "Joined a contact"
        LEFT = "left", "Left"
        REFUSED = "refused", "Could not be moved"

    DERIVES_FROM: ClassVar[tuple[str, ...]] = ()
    MADE_OF = frozenset({"name", "first_name", "last_name", "email", "phone", "company_name"})

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "legacy"))
    name = models.CharField(max_length=200, blank=True)
    name_key = models.CharField(max_length=200, editable=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    company_name = models.CharField(max_length=200, blank=True)
    status = models.CharField(
        max_length=9, default="new", choices=choices("new", "working", "qualified", "converted", "lost")
    )
    source = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True, max_length=LONGEST)
    estimated_value = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)  # ISO 4217
    contact = models.ForeignKey(Contact, models.RESTRICT, null=True, blank=True, related_name="linked_legacy_leads")
    archived_at = models.DateTimeField(null=True, editable=False)
    became_contact = models.ForeignKey(Contact, models.RESTRICT, null=True, editable=False, related_name="legacy_leads")
    became_opportunity = models.ForeignKey(
        Opportunity, models.RESTRICT, null=True, editable=False, related_name="legacy_leads"
    )
    run = models.ForeignKey(MigrationRun, models.SET_NULL, null=True, editable=False, related_name="rows")
    outcome = models.CharField(max_length=7, blank=True, editable=False, choices=Outcome.choices)
    outcome_note = models.TextField(blank=True, editable=False)
    value_note = models.TextField(blank=True, editable=False)  # why its value made no opportunity
    objects: ClassVar[LegacyLeadManager] = LegacyLeadManager()

    class Meta(Record.Meta):
        db_table = "leads_legacylead"
        abstract = False
        verbose_name = "old lead"
        constraints = [
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="legacy_lead_external_id"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*ACTIVE, "converted", "lost"]), name="legacy_lead_status_known"
            ),
            models.CheckConstraint(
                condition=Q(estimated_value__isnull=True) | Q(estimated_value__gte=0), name="legacy_lead_value_positive"
            ),
        ]
        indexes = [
            # The list, newest first, and the three branches of a rep's view.
            models.Index(fields=["workspace", "-created_at", "-id"], name="legacy_lead_newest", condition=LIVE),
            models.Index(fields=["workspace", "owner", "-created_at", "-id"], name="legacy_lead_owner", condition=LIVE),
            models.Index(fields=["workspace", "team", "-created_at", "-id"], name="legacy_lead_team", condition=LIVE),
            # The order in which they are moved, trash included.
            models.Index(fields=["workspace", "created_at", "id"], name="legacy_lead_oldest"),
        ]

    def __str__(self):
        return self.name or "an old lead without a name"

    def get_absolute_url(self):
        """The record's page in the old workspace."""
        return f"/lead/{self.public_id}"

    @property
    def is_final(self) -> bool:
        return self.archived_at is not None

    def derive(self) -> tuple[str, ...]:
        """Set what is made from other fields; returns the names of what was set."""
        made = self.name.strip() or f"{self.first_name} {self.last_name}".strip()
        self.name = (made or self.email or self.company_name or self.phone).strip()[:200]
        self.name_key = search_key(self.name)[:200]
        found_by = (self.name_key, search_key(self.email), digits(self.phone), search_key(self.company_name))
        self.search_text = " ".join(filter(None, found_by))
        return ("name", "name_key", "search_text")


class MovedLead(Owned):
    """Where an old lead is now: what pages and redirects ask, so that nobody reads the retired table.

    Written by the migration, removed by its undo, and all that is left when the table is dropped. `told` holds the
    facts that pages show. A lead that was not migrated has no `contact`: it stays readable from here.
    """

    lead = models.BigIntegerField()  # a key of the retired table, and no link: that row goes first
    public_id = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200, blank=True)
    search_text = models.TextField(default="", db_default="")
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, related_name="old_leads_moved")
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+", db_index=False)
    run = models.ForeignKey(MigrationRun, models.CASCADE, related_name="moved")
    told = models.JSONField(default=dict)
    objects: ClassVar[RecordManager] = RecordManager()

    class Meta(Owned.Meta):
        db_table = "leads_movedlead"
        abstract = False
        indexes = [
            models.Index(fields=["workspace", "lead"], name="moved_lead_lead"),
            models.Index(fields=["workspace", "-id"], name="moved_lead_stayed", condition=Q(contact__isnull=True)),
        ]

    def __str__(self):
        return self.name or self.public_id

    def get_absolute_url(self):
        """The lead's old address, which leads to its contact or shows what is kept of it."""
        return f"/lead/{self.public_id}"


class OldLeads(Owned):
    """The old leads of a workspace as a whole, from the first that was added until their table is dropped.

    `digest`, `rows`, `exported_at`: of the last verified export; `rehearsed_at`: when that was restored on trial.
    `plan`: what the last dry run from a page came to, see crm.legacy_leads.moving.planning.
    """

    since = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True)
    rows = models.PositiveIntegerField(default=0)
    exported_at = models.DateTimeField(null=True)
    rehearsed_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    plan = models.JSONField(null=True)

    class Meta(Owned.Meta):
        db_table = "leads_oldleads"
        abstract = False
        verbose_name = verbose_name_plural = "retired leads"
        constraints = [models.UniqueConstraint(fields=["workspace"], name="old_leads_once")]

    def __str__(self):
        return f"Old leads of {self.workspace}"


class LegacyVisit(Owned):
    """That somebody read the retired table on a day, where, and how often: the clock of the drop goes by it."""

    member = models.ForeignKey(Membership, models.CASCADE, null=True, related_name="+")  # null: the system, an operator
    day = models.DateField()
    place = models.CharField(max_length=120, default="", db_default="")
    reads = models.PositiveIntegerField(default=1, db_default=1)
    last_at = models.DateTimeField(null=True)

    class Meta(Owned.Meta):
        db_table = "leads_legacyvisit"
        abstract = False
        verbose_name = "read of the retired leads"
        verbose_name_plural = "reads of the retired leads"
        indexes = [models.Index(fields=["workspace", "-last_at"], name="legacy_visit_latest")]

    def __str__(self):
        return f"{self.last_at:%Y-%m-%d %H:%M} by {self.member or 'the system'} ({self.place})"


class DropConfirmation(Owned):
    """That an admin agrees to the dropping of the table."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        db_table = "leads_dropconfirmation"
        abstract = False
        constraints = [models.UniqueConstraint(fields=["member"], name="drop_confirmation_once")]

    def __str__(self):
        return f"{self.member} on {self.at:%Y-%m-%d}"
