"""Contacts and their addresses."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Q, Value

from contacts import addresses
from contacts.axes import LIFECYCLE, STATUS
from contacts.models.companies import Company
from crm.kit.ids import new_id
from crm.kit.text import LONGEST, digits, initials, search_key
from crm.kit.translation import gettext_lazy as _
from crm.kit.translation import pgettext_lazy
from crm.records.models import LIVE, Record
from crm.users.models import Owned, Workspace


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
