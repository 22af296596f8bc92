"""Base model of all record types: owner, public id, custom fields, version and trash."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from crm.entities.registry import entity_of
from crm.kit.text import search_key
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import axes_of
from crm.users.models import Membership, Owned, Team
from crm.users.visibility import RecordManager

LIVE = Q(deleted_at__isnull=True)


def choices(*values: str) -> list[tuple[str, str]]:
    """Return choices labeled by value: decision_maker → Decision maker."""
    return [(value, value.replace("_", " ").capitalize()) for value in values]


class Record(Owned):
    """Base of all records: a public id, an owner and a team, custom fields, a version, the trash."""

    public_id = models.CharField(max_length=20, unique=True, editable=False)
    external_id = models.CharField(max_length=100, blank=True)
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    custom = models.JSONField(default=dict, blank=True)
    search_text = models.TextField(blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    objects: ClassVar[RecordManager] = RecordManager()
    DERIVES_FROM: ClassVar[tuple[str, ...]] = ()  # links read by derive()
    SEARCHED: ClassVar[tuple[str, ...]] = ("search_text",)  # columns searched
    LOCKED_FIRST: ClassVar[str] = ""  # link to a record that an edit may also change: locked before this one
    ALSO_LOGGED: ClassVar[tuple[str, ...]] = ()  # further columns of the entry of a new record
    MADE_OF: ClassVar[frozenset[str]] = frozenset({"name"})  # fields read by derive()
    NAMED_BY: ClassVar[tuple[str, ...]] = ("name",)  # fields of which one is required
    NAMELESS: ClassVar[str] = _("Enter a name.")
    UNIQUE: ClassVar[Iterable[str]] = ("external_id",)  # columns unique among live records

    class Meta(Owned.Meta):
        abstract = True

    def get_absolute_url(self) -> str:
        raise NotImplementedError

    @property
    def is_final(self) -> bool:
        """Whether it can no longer change; RecordQuerySet.FINAL in Python."""
        return False

    @property
    def replaced_by(self) -> "Record | None":
        """The record that replaced it, to which its page redirects."""
        return None

    def begin(self, at: datetime) -> None:
        """Set a new record's times: creation, and start of its axis values."""
        self.created_at = self.updated_at = at
        for axis in axes_of(entity_of(type(self))):
            setattr(self, axis.since, at)

    def derive(self) -> tuple[str, ...]:
        """Set derived fields; return their names. By default the keys of its name."""
        self.name_key = self.search_text = search_key(str(self))[:200]
        return ("name_key", "search_text")

    @classmethod
    def consequences(cls, rows: models.QuerySet, changes: dict[str, Any]) -> dict[str, Any]:
        """Return changes of further fields that follow from `changes` of these rows, as values or expressions."""
        return {}

    @classmethod
    def derived(cls, records: Collection[Self], changed: Collection[str]) -> None:
        """Update rows derived from these records elsewhere; called when `changed` fields and derive() were saved.

        Raises IntegrityError if another record has taken a unique value.
        """


def with_sources(rows: models.QuerySet) -> models.QuerySet:
    """Return `rows` with the links that derive() reads. select_related() without links would follow all."""
    return rows.select_related(*rows.model.DERIVES_FROM) if rows.model.DERIVES_FROM else rows


def derive(rows: models.QuerySet, changed: Collection[str]) -> None:
    """Rebuild keys and search text of `rows`, and rows derived elsewhere from their `changed` fields."""
    records = list(with_sources(rows))
    names = {name for record in records for name in record.derive()}
    rows.model.objects.bulk_update(records, sorted(names), batch_size=500)
    rows.model.derived(records, changed)
