"""The audit log: one immutable entry per change of a record."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from django.db import models

from crm.events.registry import EventType
from crm.kit.logged import Logged
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.sql import RawCondition
from crm.kit.translation import gettext_lazy as _

# What imports write, left out of the indexes for rare events and rare kinds of record. Changing one needs a migration.
FREQUENT_ACTIONS = ("CREATE", "UPDATE", "ASSIGN")
FREQUENT_KINDS = ("activity", "company", "contact", "lead", "legacy_lead", "opportunity")


class EntryQuerySet(WorkspaceQuerySet):
    """Entries of the workspace in scope."""

    def of_others(self, *changes: UUID) -> "EntryQuerySet":
        """Return the entries of other changes, unordered; the caller compares which are later.

        With a comparison here the planner would scan all later entries instead of the records' own.
        """
        return self.order_by().exclude(change__in=changes)

    def of_kind(self, entity: str) -> "EntryQuerySet":
        """Return the entries of a kind of record, by the index of rare kinds if it is one."""
        found = self.filter(entity=entity)
        return found if entity in FREQUENT_KINDS else found.filter(_literally("entity", FREQUENT_KINDS))

    def of_event(self, event: EventType) -> "EntryQuerySet":
        """Return the entries of an event, by the index of rare events, or that of rare kinds, if it is in one."""
        found = self.of_kind(event.entity).filter(event=event.name)
        return found if event.action in FREQUENT_ACTIONS else found.filter(_literally("action", FREQUENT_ACTIONS))


def _literally(column: str, values: Sequence[str]) -> RawCondition:
    """Return the condition of a partial index as the index has it: SQLite recognizes no parameters in it."""
    listed = ", ".join(f"'{value}'" for value in values)
    return RawCondition(f'NOT ("audit_entry"."{column}" IN ({listed}))', [])


class EntryManager(WorkspaceManager.from_queryset(EntryQuerySet)):  # type: ignore[misc]
    """`objects` of entries."""


class Entry(Logged):
    """A change of one record, from old to new values (source 003, Audit Trail). The database rejects updates and
    deletes.

    `at` is when the change happened, which an import may backdate; `recorded_at` is when it was recorded. `change`
    groups the entries of one user action. `person` is the contact whose timeline shows the entry. `salt` and
    `erased_by` let the values be erased without breaking the seal: `erased_by` names an ERASE entry of the same
    `person`, whose new values state how many entries it covers: {"entries": 12}.
    """

    at = models.DateTimeField(_("time"))
    recorded_at = models.DateTimeField(_("recorded at"))
    member_id = models.BigIntegerField(_("member ID"), null=True)  # null: the system
    channel = models.CharField(_("channel"), max_length=10)
    event = models.CharField(_("event"), max_length=60)
    action = models.CharField(_("action"), max_length=20)
    entity = models.CharField(_("record type"), max_length=40)
    entity_id = models.BigIntegerField(_("record ID"))
    person = models.BigIntegerField(_("contact ID"), null=True)
    old_values = models.JSONField(_("old values"), null=True)
    new_values = models.JSONField(_("new values"), null=True)
    note = models.TextField(_("note"), null=True)
    severity = models.CharField(_("severity"), max_length=10)
    category = models.CharField(_("category"), max_length=20)
    change = models.UUIDField(_("change ID"))
    salt = models.CharField(_("salt"), max_length=32, null=True)
    erased_by = models.BigIntegerField(_("erased by"), null=True)
    objects: ClassVar[EntryManager] = EntryManager()  # type: ignore[misc]

    class Meta(Logged.Meta):
        abstract = False
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["workspace_id", "entity", "entity_id", "at", "id"], name="entry_subject"),
            models.Index(
                fields=["workspace_id", "person", "at", "id"],
                name="entry_person",
                condition=models.Q(person__isnull=False),
            ),
            models.Index(fields=["workspace_id", "change"], name="entry_change"),
            models.Index(fields=["workspace_id", "at", "id"], name="entry_time"),
            # For the filters of the audit log, see migration 0005.
            models.Index(
                fields=["workspace_id", "member_id", "at", "id"],
                name="entry_member",
                condition=models.Q(member_id__isnull=False),
            ),
            models.Index(
                fields=["workspace_id", "event", "at", "id"],
                name="entry_rare_event",
                condition=~models.Q(action__in=FREQUENT_ACTIONS),
            ),
            models.Index(
                fields=["workspace_id", "entity", "at", "id"],
                name="entry_rare_kind",
                condition=~models.Q(entity__in=FREQUENT_KINDS),
            ),
        ]

    def __str__(self):
        return f"{self.event} {self.entity} {self.entity_id}"

    @property
    def record(self) -> tuple[str, int]:
        return self.entity, self.entity_id

    @property
    def is_creation(self) -> bool:
        return self.old_values is None and self.new_values is not None


class Seal(Logged):
    """A link of the workspace's chain: a hash over one entry and the previous seal. Append-only like the log.

    `content` is the hash of the entry's erasable values, so that the chain stays valid after an erasure.
    """

    seq = models.BigIntegerField()  # 1, 2, 3, … per workspace
    entry_id = models.BigIntegerField(unique=True)
    content = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta(Logged.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["workspace_id", "seq"], name="seal_place")]

    def __str__(self):
        return f"{self.seq} {self.hash}"


class Watermark(models.Model):
    """The sealer's progress, in one row: all entries with ids up to `done` are sealed.

    `seen` was the highest id when transaction `seen_before` began: once all earlier transactions have ended, no id
    below `seen` can appear.
    """

    done = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    seen_before = models.BigIntegerField(default=0)

    def __str__(self):
        return str(self.done)
