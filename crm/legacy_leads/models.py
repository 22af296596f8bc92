"""The retired lead entity (source 000): its table, migration runs, and readers."""

import uuid
from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from contacts.models import Contact
from crm.kit import formats
from crm.kit.ids import new_id
from crm.kit.text import LONGEST, digits, search_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.reads import count_read
from crm.opportunities.models import Opportunity
from crm.records.models import LIVE, Record
from crm.users.models import Membership, Owned, Team
from crm.users.visibility import RecordManager, RecordQuerySet

ACTIVE = ("new", "working", "qualified")


class MigrationRun(Owned):
    """A migration of a workspace's legacy leads, from its first batch to its undo. `change` is the change to undo.

    It may take several processes: a killed one leaves whole batches, and the next continues this row. Amounts are by
    currency, as {"EUR": "1500.50"}.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        COMMITTED = "committed", _("Committed")
        UNDOING = "undoing", _("Undoing")
        UNDONE = "undone", _("Undone")

    BUSY = (State.RUNNING, State.UNDOING)  # also after a crash: the leads are partly migrated
    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "migration"))
    member = models.ForeignKey(
        Membership, models.SET_NULL, null=True, related_name="+", verbose_name=_("member")
    )  # null: the system
    include_lost = models.BooleanField(_("include lost leads"), default=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.RUNNING)
    change = models.UUIDField(default=uuid.uuid4)
    leads = models.PositiveIntegerField(_("leads"), default=0)
    created = models.PositiveIntegerField(_("new contacts"), default=0)
    reused = models.PositiveIntegerField(_("joined an existing contact"), default=0)
    left = models.PositiveIntegerField(_("not migrated"), default=0)
    refused = models.PositiveIntegerField(_("rejected"), default=0)
    opportunities = models.PositiveIntegerField(_("opportunities"), default=0)
    amount_in = models.JSONField(_("value of all leads"), default=dict)
    amount_opportunities = models.JSONField(_("value in opportunities"), default=dict)
    amount_listed = models.JSONField(_("value without an opportunity"), default=dict)
    kept = models.JSONField(_("skipped by the undo"), default=list)  # [entity, public id, reason]
    # Started from a page: a scheduled job continues it after a crash. Runs of the command wait for the command.
    in_background = models.BooleanField(default=False, db_default=False)
    problem = models.TextField(default="", db_default="")  # why it stopped and is not continued
    started_at = models.DateTimeField(_("started"))
    committed_at = models.DateTimeField(_("committed"), null=True)
    undone_at = models.DateTimeField(_("undone"), null=True)

    class Meta(Owned.Meta):
        db_table = "leads_migrationrun"
        abstract = False
        verbose_name = _("lead migration")
        verbose_name_plural = _("lead migrations")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                "workspace", condition=Q(state__in=("running", "undoing")), name="migration_run_one_at_a_time"
            ),
        ]

    def __str__(self):
        day = formats.day(timezone.localtime(self.started_at))
        return gettext("{migration} of {day}").format(migration=self.public_id, day=day)


class LegacyLeadQuerySet(RecordQuerySet):
    """Legacy leads. All reads are counted (crm.legacy_leads.reads)."""

    FINAL = (Q(archived_at__isnull=False), _("Archived leads are read-only."))

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
    """`objects` of legacy leads."""


class LegacyLead(Record):
    """A lead of the entity retired in April 2026: a person and an opportunity in one row, beside the contacts.

    `contact` is its manual link. Its results are `became_contact` and `became_opportunity`; `outcome`, `outcome_note`
    and `value_note` explain them, as written by the last `run`.
    """

    class Outcome(models.TextChoices):
        CREATED = "created", _("New contact")
        REUSED = "reused", _("Joined an existing contact")
        LEFT = "left", _("Not migrated")
        REFUSED = "refused", _("Rejected")

    STATUSES = (
        ("new", _("New")),
        ("working", _("Working")),
        ("qualified", _("Qualified")),
        ("converted", _("Converted")),
        ("lost", _("Lost")),
    )
    DERIVES_FROM: ClassVar[tuple[str, ...]] = ()
    MADE_OF = frozenset({"name", "first_name", "last_name", "email", "phone", "company_name"})

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "legacy"))
    name = models.CharField(_("name"), max_length=200, blank=True)
    name_key = models.CharField(max_length=200, editable=False)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.CharField(_("email"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    company_name = models.CharField(_("company"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=9, default="new", choices=STATUSES)
    source = models.CharField(_("source"), max_length=100, blank=True)
    description = models.TextField(_("description"), blank=True, max_length=LONGEST)
    estimated_value = models.DecimalField(_("estimated value"), max_digits=15, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)  # ISO 4217
    contact = models.ForeignKey(
        Contact,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="linked_legacy_leads",
        verbose_name=_("linked contact"),
    )
    archived_at = models.DateTimeField(_("archived"), null=True, editable=False)
    became_contact = models.ForeignKey(
        Contact,
        models.RESTRICT,
        null=True,
        editable=False,
        related_name="legacy_leads",
        verbose_name=_("contact"),
    )
    became_opportunity = models.ForeignKey(
        Opportunity,
        models.RESTRICT,
        null=True,
        editable=False,
        related_name="legacy_leads",
        verbose_name=_("opportunity"),
    )
    run = models.ForeignKey(
        MigrationRun,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="rows",
        verbose_name=_("lead migration"),
    )
    outcome = models.CharField(_("outcome"), max_length=7, blank=True, editable=False, choices=Outcome.choices)
    outcome_note = models.TextField(_("reason"), blank=True, editable=False)
    value_note = models.TextField(_("why no opportunity"), blank=True, editable=False)
    objects: ClassVar[LegacyLeadManager] = LegacyLeadManager()

    class Meta(Record.Meta):
        db_table = "leads_legacylead"
        abstract = False
        verbose_name = _("legacy lead")
        verbose_name_plural = _("legacy leads")
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
            # The migration order, trash included.
            models.Index(fields=["workspace", "created_at", "id"], name="legacy_lead_oldest"),
        ]

    def __str__(self):
        return self.name or gettext("Unnamed legacy lead")

    def get_absolute_url(self):
        """Return the record's page in the legacy workspace."""
        return f"/lead/{self.public_id}"

    @property
    def is_final(self) -> bool:
        return self.archived_at is not None

    def derive(self) -> tuple[str, ...]:
        made = self.name.strip() or f"{self.first_name} {self.last_name}".strip()
        self.name = (made or self.email or self.company_name or self.phone).strip()[:200]
        self.name_key = search_key(self.name)[:200]
        found_by = (self.name_key, search_key(self.email), digits(self.phone), search_key(self.company_name))
        self.search_text = " ".join(filter(None, found_by))
        return ("name", "name_key", "search_text")


class MovedLead(Owned):
    """The migration result of a legacy lead, for pages and redirects, which then need not read the retired table.

    Written by the migration, removed by its undo, and kept when the table is dropped. `told` has the facts shown on
    pages. A lead that was not migrated has no `contact` and stays readable from here.
    """

    lead = models.BigIntegerField()  # a key of the retired table, not a foreign key: that row is deleted first
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
        """Return the lead's old address, which redirects to its contact or shows its kept facts."""
        return f"/lead/{self.public_id}"


class OldLeads(Owned):
    """A workspace's legacy leads as a whole, from the first one until the drop.

    `digest`, `rows`, `exported_at`: of the last verified export; `rehearsed_at`: its test restore. `plan`: the last dry
    run from a page, see crm.legacy_leads.moving.planning.
    """

    since = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True)
    rows = models.PositiveIntegerField(_("exported leads"), default=0)
    exported_at = models.DateTimeField(_("exported"), null=True)
    rehearsed_at = models.DateTimeField(_("export verified"), null=True)
    dropped_at = models.DateTimeField(_("dropped"), null=True)
    plan = models.JSONField(null=True)

    class Meta(Owned.Meta):
        db_table = "leads_oldleads"
        abstract = False
        verbose_name = _("table of legacy leads")
        verbose_name_plural = _("tables of legacy leads")
        constraints = [models.UniqueConstraint(fields=["workspace"], name="old_leads_once")]

    def __str__(self):
        return gettext("Legacy leads of {workspace}").format(workspace=self.workspace)


class LegacyVisit(Owned):
    """Reads of the retired table by member, day and place, with their number: the basis of the drop's clock."""

    member = models.ForeignKey(
        Membership, models.CASCADE, null=True, related_name="+", verbose_name=_("member")
    )  # null: the system, an operator
    day = models.DateField(_("day"))
    place = models.CharField(_("place"), max_length=120, default="", db_default="")
    reads = models.PositiveIntegerField(_("reads"), default=1, db_default=1)
    last_at = models.DateTimeField(_("last read"), null=True)

    class Meta(Owned.Meta):
        db_table = "leads_legacyvisit"
        abstract = False
        verbose_name = _("read of legacy leads")
        verbose_name_plural = _("reads of legacy leads")
        indexes = [models.Index(fields=["workspace", "-last_at"], name="legacy_visit_latest")]

    def __str__(self):
        moment = formats.moment(self.last_at) if self.last_at else formats.day(self.day)
        sentence = gettext("{moment} by {member} ({place})") if self.member else gettext("{moment} ({place})")
        return sentence.format(moment=moment, member=self.member, place=self.place)


class DropConfirmation(Owned):
    """An admin's confirmation of the drop."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta(Owned.Meta):
        db_table = "leads_dropconfirmation"
        abstract = False
        constraints = [models.UniqueConstraint(fields=["member"], name="drop_confirmation_once")]

    def __str__(self):
        return gettext("{member} on {day}").format(member=self.member, day=formats.day(timezone.localtime(self.at)))
