"""Companies and their domains, contacts and their addresses, activities, engagement and suppressions."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from contacts import addresses
from contacts.axes import LIFECYCLE, STATUS
from crm.kit.actor import Actor, Role
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.text import LONGEST, digits, domain_key, initials, search_key
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.records.models import LIVE, Record, derive
from crm.users.models import Membership, Owned, Workspace
from crm.users.visibility import RecordQuerySet, branches, editable, visible


class Company(Record):
    """An organization that people work at."""

    MADE_OF = frozenset({"name", "phone", "domain", "other_domains", "deleted_at"})

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "org"))
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    domain = models.CharField(max_length=200, blank=True)  # the primary one
    other_domains = models.TextField(blank=True, max_length=LONGEST, default="", db_default="")  # separated by ", "
    website = models.CharField(max_length=300, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    street = models.CharField(max_length=200, blank=True)
    street2 = models.CharField(max_length=200, blank=True, default="", db_default="")
    postal_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True, default="", db_default="")
    country = models.CharField(max_length=2, blank=True)  # ISO 3166 alpha-2
    description = models.TextField(blank=True, max_length=LONGEST)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="subsidiaries", db_index=False
    )
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="merged", db_index=False
    )

    class Meta(Record.Meta):
        abstract = False
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        constraints = [
            # Longer circles: contacts.hierarchy, under a lock.
            models.CheckConstraint(condition=~Q(parent=F("pk")), name="company_not_its_own_parent"),
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="company_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "name_key", "id"], name="company_name", condition=LIVE),
            models.Index(fields=["workspace", "owner", "name_key"], name="company_owner", condition=LIVE),
            models.Index(fields=["workspace", "team", "name_key"], name="company_team", condition=LIVE),
            models.Index(fields=["parent"], name="company_parent", condition=Q(parent__isnull=False)),
            models.Index(fields=["merged_into"], name="company_merged", condition=Q(merged_into__isnull=False)),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/company/{self.public_id}"

    @property
    def replaced_by(self):
        return self.merged_into if self.deleted_at else None

    @property
    def domains(self) -> list[str]:
        """All domains, the primary one first."""
        keys = map(domain_key, (self.domain, *self.other_domains.split(", ")))
        return list(dict.fromkeys(filter(None, keys)))

    def derive(self) -> tuple[str, ...]:
        """Set derived fields; return their names."""
        self.name_key = search_key(self.name)[:200]
        found_by = (self.name_key, search_key(self.domain), self.other_domains, digits(self.phone))
        self.search_text = " ".join(filter(None, found_by))
        return ("name_key", "search_text")

    @classmethod
    def derived(cls, records, changed):
        """Update the rows of their domains, and contacts' search text, which contains their company's name."""
        if {"domain", "other_domains", "deleted_at"} & set(changed):
            CompanyDomain.keep(records)
        people = Contact.objects.filter(company__in=[company.pk for company in records])
        if "name" in changed and people.exists():
            derive(people, {"company"})


class CompanyDomain(Owned):
    """A domain of a company, derived from the company's two fields: unique among live companies, and found by email.

    `live` follows the company's trash. `shared` rows repeat a domain of another company, from before they were unique.

    Why: docs/decisions/0078-domains-are-derived-rows.md
    """

    company = models.ForeignKey(Company, models.CASCADE, related_name="domain_rows")
    domain = models.CharField(max_length=200)
    live = models.BooleanField(default=True)
    shared = models.BooleanField(default=False)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "domain"], condition=Q(live=True, shared=False), name="company_domain_once"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "domain"], name="company_domain", condition=Q(live=True))]

    def __str__(self):
        return self.domain

    @classmethod
    def keep(cls, companies: Collection[Company]) -> None:
        """Bring the rows in line with the companies. Raises IntegrityError for another company's domain."""
        wanted = {(company.pk, domain): company for company in companies for domain in company.domains}
        rows = cls.objects.filter(company__pk__any_of=[company.pk for company in companies])
        present = {(company, domain): pk for company, domain, pk in rows.values_list("company", "domain", "pk")}
        cls.objects.filter(pk__in=[pk for key, pk in present.items() if key not in wanted]).delete()
        for live in (False, True):  # first free the domains of those that leave
            kept = [present[key] for key in wanted if key in present and (wanted[key].deleted_at is None) is live]
            cls.objects.filter(pk__in=kept).update(live=live)
        missing = [(company, domain) for (pk, domain), company in wanted.items() if (pk, domain) not in present]
        cls.objects.bulk_create(
            cls(workspace_id=company.workspace_id, company=company, domain=domain, live=company.deleted_at is None)
            for company, domain in missing
        )


class FreeMailDomains(Owned):
    """Further email domains of a workspace that belong to no company, besides the shipped ones."""

    domains = models.TextField(blank=True, max_length=LONGEST)  # separated by line breaks

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint("workspace", name="free_mail_domains_once")]

    def __str__(self):
        return self.domains


def contact_keys(own: Mapping[str, str], *, company_key: str) -> dict[str, Any]:
    """Return a contact's derived fields: full name, addresses in order, keys, and search text.

    `own` has the names and all address fields of the contact.
    """
    moved = addresses.arranged(own)
    email = moved.get("email", own["email"])
    name = (own["name"].strip() or f"{own['first_name']} {own['last_name']}".strip() or email)[:200]
    name_key = search_key(name)[:200]
    rows = addresses.rows_of({**own, **moved} if moved else own)
    found_by = (name_key, *map(_searched, rows), company_key)
    return moved | {
        "name": name,
        "name_key": name_key,
        "email_key": rows[0][2] if email else "",
        "address_rows": rows,
        "search_text": " ".join(filter(None, found_by)),
    }


def _searched(row: list) -> str:
    """Return the search text of an address: of a phone the digits as typed, and with the country code if without."""
    kind, _position, key, value, _label = row
    if kind == addresses.EMAIL:
        return search_key(value)
    typed, number = digits(value), key.removeprefix("+")
    return typed if typed == number else f"{typed} {number}"


ROLES = [  # of a contact in a purchase (source 002)
    ("decision_maker", _("Decision maker")),
    ("influencer", _("Influencer")),
    ("champion", _("Champion")),
    ("blocker", _("Blocker")),
    ("user", pgettext_lazy("role of a contact", "User")),
]


class Contact(Record):
    """A person, in one record for life (source 002's schema, source 000's lifecycle)."""

    DERIVES_FROM = ("company",)
    MADE_OF = frozenset({"name", "first_name", "last_name", "company", *addresses.FIELDS})
    NAMED_BY = ("name", "first_name", "last_name", "email")
    NAMELESS = _("Enter a name or an email.")

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "contact"))
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_key = models.CharField(max_length=254, blank=True, editable=False)
    email_label = models.CharField(max_length=40, blank=True, default="", db_default="")
    other_emails = models.TextField(blank=True, max_length=LONGEST, default="", db_default="")
    phone = models.CharField(max_length=60, blank=True)
    phone_label = models.CharField(max_length=40, blank=True, default="", db_default="")
    mobile = models.CharField(max_length=60, blank=True)
    other_phones = models.TextField(blank=True, max_length=LONGEST, default="", db_default="")
    # All addresses as lists of the columns of ContactAddress, which triggers copy there.
    address_rows = models.JSONField(default=list, db_default=Value([], models.JSONField()), editable=False)
    avatar = models.ImageField(upload_to="avatars", blank=True)
    title = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=120, blank=True)
    company = models.ForeignKey(Company, models.RESTRICT, null=True, blank=True, related_name="contacts")
    role = models.CharField(max_length=20, blank=True, choices=ROLES)
    lifecycle_stage = models.CharField(
        max_length=12, default="lead", editable=False, choices=[(c.value, c.label) for c in LIFECYCLE.values]
    )
    lifecycle_stage_since = models.DateTimeField(editable=False)
    status = models.CharField(
        max_length=12, default="active", editable=False, choices=[(c.value, c.label) for c in STATUS.values]
    )
    status_since = models.DateTimeField(editable=False)
    source = models.CharField(max_length=100, blank=True)
    preferred_channel = models.CharField(
        max_length=10,
        blank=True,
        choices=[("email", _("Email")), ("phone", _("Phone")), ("sms", _("SMS")), ("chat", _("Chat"))],
    )
    timezone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=20, blank=True)
    manager = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="reports", db_index=False)
    linkedin_url = models.CharField(max_length=300, blank=True)
    twitter_handle = models.CharField(max_length=60, blank=True)
    marketing_consent = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True, max_length=LONGEST)
    last_engagement = models.DateTimeField(null=True, editable=False)
    last_activity = models.DateTimeField(editable=False)
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="merged", db_index=False
    )

    class Meta(Record.Meta):
        abstract = False
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(
                "workspace", "external_id", condition=LIVE & ~Q(external_id=""), name="contact_external_id"
            ),
            models.CheckConstraint(
                condition=Q(lifecycle_stage__in=[c.value for c in LIFECYCLE.values]), name="contact_lifecycle_stage"
            ),
            models.CheckConstraint(condition=Q(status__in=[c.value for c in STATUS.values]), name="contact_status"),
            models.CheckConstraint(condition=~Q(name=""), name="contact_name"),
        ]
        indexes = [
            # The list, newest activity first: for managers, for one stage, and the three branches of a rep's view. The
            # included columns let PostgreSQL count and page a rep's leads without reading the rows.
            models.Index(fields=["workspace", "-last_activity", "-id"], name="contact_activity", condition=LIVE),
            models.Index(
                fields=["workspace", "lifecycle_stage", "-last_activity", "-id"], name="contact_stage", condition=LIVE
            ),
            models.Index(
                fields=["workspace", "owner", "-last_activity", "-id"],
                name="contact_owner",
                condition=LIVE,
                include=["lifecycle_stage", "team"],
            ),
            models.Index(
                fields=["workspace", "team", "-last_activity", "-id"],
                name="contact_team",
                condition=LIVE,
                include=["lifecycle_stage", "owner"],
            ),
            # Most contacts have neither: with the empty ones SQLite considers the index useless.
            models.Index(fields=["manager"], name="contact_manager", condition=Q(manager__isnull=False)),
            models.Index(fields=["merged_into"], name="contact_merged", condition=Q(merged_into__isnull=False)),
            # By name, for managers and for the branches of a rep's view.
            models.Index(fields=["workspace", "name_key", "id"], name="contact_by_name", condition=LIVE),
            models.Index(fields=["workspace", "owner", "name_key", "id"], name="contact_owner_name", condition=LIVE),
            models.Index(fields=["workspace", "team", "name_key", "id"], name="contact_team_name", condition=LIVE),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/contact/{self.public_id}"

    @property
    def replaced_by(self):
        return self.merged_into if self.deleted_at else None

    def begin(self, at):
        """Date the last activity of a new contact."""
        super().begin(at)
        self.last_activity = at

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def email_keys(self) -> list[str]:
        return [row[2] for row in self.address_rows if row[0] == addresses.EMAIL]

    @property
    def address_fields(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in addresses.FIELDS}

    @classmethod
    def consequences(cls, rows, changes):
        """Keep the first addresses in fields of their own: with the email cleared, the next one takes its place."""
        return addresses.consequences(rows, changes)

    def derive(self) -> tuple[str, ...]:
        names = {"name": self.name, "first_name": self.first_name, "last_name": self.last_name}
        made = contact_keys(names | self.address_fields, company_key=self.company.name_key if self.company else "")
        for name, value in made.items():
            setattr(self, name, value)
        return tuple(made)


class ContactAddress(Owned):
    """One email address or phone number of a live contact: what addresses are found by.

    Triggers copy it from the contact (contacts/address_rows.py); nothing else writes it. `key`: email_key(), or
    phone_key() with the workspace's country.

    Why: docs/decisions/0080-addresses-are-values-of-the-contact.md
    """

    KINDS = ((addresses.EMAIL, _("Email")), (addresses.PHONE, _("Phone")))

    # The contact's workspace, which the key over both columns checks.
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="addresses", db_index=False)
    kind = models.CharField(max_length=5, choices=KINDS)
    position = models.PositiveIntegerField()  # among those of its kind; 0 is the primary
    key = models.CharField(max_length=254)
    value = models.CharField(max_length=254)
    label = models.CharField(max_length=40, blank=True)

    class Meta(Owned.Meta):
        abstract = False
        constraints = [
            # One contact per email and workspace, also when captures race.
            models.UniqueConstraint(fields=["workspace", "key"], condition=Q(kind="email"), name="address_email"),
            models.UniqueConstraint(fields=["contact", "kind", "position"], name="address_position"),
        ]
        indexes = [models.Index(fields=["workspace", "key"], name="address_phone", condition=Q(kind="phone"))]

    def __str__(self):
        return self.value


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
        ("note", _("Note")),
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
    present: list["Participant"]  # prefetched by contacts.participants.with_participants()
    is_open: bool  # annotated by timelines: pending, and about their record
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
        constraints = [
            # Also the index of a contact's events in order.
            models.UniqueConstraint(fields=["contact", "occurred_at", "kind"], name="engagement_once"),
        ]

    def __str__(self):
        return f"{self.kind} at {self.occurred_at:%Y-%m-%d %H:%M}"


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
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_key", "reason"], name="suppression_once"),
            models.CheckConstraint(condition=~Q(email_key=""), name="suppression_address"),
        ]

    def __str__(self):
        return f"{self.email_key} ({self.get_reason_display()})"
