"""Files attached to records."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from contacts.models import Activity, Company, Contact
from crm.kit.actor import Actor
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager
from crm.kit.translation import gettext_lazy as _
from crm.opportunities.models import Opportunity
from crm.records.models import LIVE
from crm.users.models import Membership, Owned
from crm.users.visibility import RecordQuerySet
from leads.models import Lead

# What a file can belong to: the link, and its model.
OWNERS: dict[str, type[Any]] = {
    "contact": Contact,
    "company": Company,
    "lead": Lead,
    "opportunity": Opportunity,
    "activity": Activity,
}
PRESENT = Q(deleted_at__isnull=True, activity__deleted_at__isnull=True)
IMAGES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WebP"}
PDF = "application/pdf"


def _one_owner() -> Q:
    """Return the condition that exactly one link is set."""
    condition = Q()
    for link in OWNERS:
        condition |= Q(**{f"{other}__isnull": other != link for other in OWNERS})
    return condition


class AttachmentQuerySet(RecordQuerySet):
    """Files, visible and editable with the record that they belong to."""

    def visible_to(self, by: Actor):
        return self.filter(_either(lambda rows: rows.visible_to(by)))

    def editable(self, by: Actor) -> Q:
        return _either(lambda rows: rows.editable_by(by))

    def present(self):
        """Filter to files that weren't deleted, nor their activity."""
        return self.filter(PRESENT)

    def deleted_before(self, at: datetime):
        """Filter to files deleted before a time, by themselves or with their activity."""
        return self.filter(Q(deleted_at__lt=at) | Q(activity__deleted_at__lt=at))

    def of(self, entity: str, record: Any):
        """Filter to a record's own files that weren't deleted, newest first."""
        return self.live().filter(**{entity: record}).order_by("-created_at", "-pk")


def _either(rule) -> Q:
    """Return the rule of whichever record a file belongs to."""
    condition = Q()
    for link, model in OWNERS.items():
        condition |= Q(Exists(rule(model.objects.filter(pk=OuterRef(link)))))
    return condition


class AttachmentManager(WorkspaceManager.from_queryset(AttachmentQuerySet)):  # type: ignore[misc]
    """`objects` of files."""


class Attachment(Owned):
    """A file on a contact, company, lead, opportunity or activity.

    `stored` is the place of its bytes in the storage, a random name. `content_type` is what the bytes begin with for
    the types that are previewed, otherwise a guess from the name. A deleted file keeps its bytes until it is purged.

    Why: docs/decisions/0075-a-file-is-a-row-and-bytes.md
    """

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "file"))
    contact = models.ForeignKey(
        Contact, models.CASCADE, verbose_name=_("contact"), null=True, related_name="files", db_index=False
    )
    company = models.ForeignKey(
        Company, models.CASCADE, verbose_name=_("company"), null=True, related_name="files", db_index=False
    )
    lead = models.ForeignKey(
        Lead, models.CASCADE, verbose_name=_("lead"), null=True, related_name="files", db_index=False
    )
    opportunity = models.ForeignKey(
        Opportunity, models.CASCADE, verbose_name=_("opportunity"), null=True, related_name="files", db_index=False
    )
    activity = models.ForeignKey(
        Activity, models.CASCADE, verbose_name=_("activity"), null=True, related_name="files", db_index=False
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.CharField(_("description"), max_length=500, blank=True)
    size = models.PositiveBigIntegerField(_("size"))
    content_type = models.CharField(_("type"), max_length=100)
    stored = models.CharField(max_length=200, unique=True, editable=False)
    uploader = models.ForeignKey(
        Membership, models.SET_NULL, verbose_name=_("uploader"), null=True, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects: ClassVar[AttachmentManager] = AttachmentManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("file")
        verbose_name_plural = _("files")
        constraints = [models.CheckConstraint(condition=_one_owner(), name="attachment_of_one_record")]
        indexes = [
            # The sum of a workspace's files reads this index alone.
            models.Index(fields=["workspace", "size"], name="attachment_size"),
            models.Index(fields=["workspace", "deleted_at"], name="attachment_deleted", condition=~LIVE),
            *(
                models.Index(fields=[link], name=f"attachment_{link}", condition=Q(**{f"{link}__isnull": False}))
                for link in OWNERS
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/file/{self.public_id}"

    @property
    def owner_entity(self) -> str:
        return next(link for link in OWNERS if getattr(self, f"{link}_id") is not None)

    @property
    def about(self) -> Any:
        """The record that it belongs to."""
        return getattr(self, self.owner_entity)

    @property
    def kind(self) -> str:
        """The type as people call it, e.g. PDF; '' if unknown."""
        ending = self.name.rpartition(".")[2] if "." in self.name else ""
        return IMAGES.get(self.content_type) or ("PDF" if self.content_type == PDF else ending[:8].upper())

    @property
    def icon(self) -> str:
        return "image" if self.is_image else "file-text" if self.content_type == PDF else "file"

    @property
    def is_image(self) -> bool:
        return self.content_type in IMAGES

    @property
    def is_previewed(self) -> bool:
        """Whether browsers may show it: only types that can't run scripts on our pages."""
        return self.is_image or self.content_type == PDF
