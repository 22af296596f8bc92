"""Exceptions and their dismissals."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.ids import new_id
from crm.kit.scope import WorkspaceManager, WorkspaceQuerySet
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned, Team
from crm.users.visibility import RecordManager, RecordQuerySet


class FindingQuerySet(WorkspaceQuerySet):
    """Findings by whether they are waived."""

    def waived(self):
        """Filter to findings with a current waiver from after their start."""
        return self.filter(Exists(_waivers()))

    def unwaived(self):
        return self.filter(~Exists(_waivers()))


def _waivers() -> models.QuerySet:
    """Return the current waivers of the outer query's finding. A finding that began again is no longer waived."""
    of_it = Waiver.objects.filter(kind=OuterRef("kind"), record_id=OuterRef("record_id"))
    return of_it.filter(until__gt=clock.now(), created_at__gte=OuterRef("since"))


class FindingManager(WorkspaceManager.from_queryset(FindingQuerySet)):  # type: ignore[misc]
    """`objects` of findings."""


class Finding(Owned):
    """A record that violates a rule, as of the last check; deleted with its cause.

    Owner and team are copied from the record, for an index on visibility; each page checks the record again.
    """

    kind = models.CharField(max_length=40)
    entity = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+", db_index=False)
    since = models.DateTimeField()
    evidence = models.TextField()
    objects: ClassVar[FindingManager] = FindingManager()

    class Meta(Owned.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "record_id"], name="finding_once")]
        indexes = [
            models.Index(fields=["workspace", "-since", "-id"], name="finding_newest"),
            models.Index(fields=["workspace", "kind", "-since", "-id"], name="finding_kind"),
            models.Index(fields=["workspace", "owner", "-since", "-id"], name="finding_owner"),
            models.Index(fields=["workspace", "team", "-since", "-id"], name="finding_team"),
        ]

    def __str__(self):
        return f"{self.kind}: {self.entity} {self.record_id}"


class UnreadableQuerySet(RecordQuerySet):
    """Invalid settings, visible to managers and fixed by admins."""

    def live(self):
        return self.all()

    def visible_to(self, by: Actor):
        return self if by.is_at_least(Role.MANAGER) else self.none()

    def editable(self, by: Actor) -> Q:
        return Q() if by.is_at_least(Role.MANAGER) else Q(pk__in=[])


class UnreadableManager(RecordManager.from_queryset(UnreadableQuerySet)):  # type: ignore[misc]
    """`objects` of unreadable settings."""


class UnreadableSetting(Owned):
    """A setting that was invalid at the last check: the row `setting` stored by `storer`.

    A row of its own, so that all settings share one kind of exception; deleted once the setting is valid.
    """

    public_id = models.CharField(max_length=20, unique=True, editable=False, default=partial(new_id, "setting"))
    storer = models.CharField(max_length=40)
    setting = models.BigIntegerField()
    name = models.CharField(max_length=300)
    url = models.CharField(max_length=300)
    problem = models.TextField()
    found_at = models.DateTimeField()
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+", db_index=False)
    deleted_at = models.DateTimeField(null=True)
    objects: ClassVar[UnreadableManager] = UnreadableManager()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name, verbose_name_plural = _("unreadable setting"), _("unreadable settings")
        constraints = [models.UniqueConstraint(fields=["workspace", "storer", "setting"], name="unreadable_once")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return self.url


class Waiver(Owned):
    """A dismissal of an exception until a given time, with the reason."""

    kind = models.CharField(max_length=40)
    entity = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    reason = models.TextField()
    until = models.DateTimeField()
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("dismissed exception")
        indexes = [models.Index(fields=["workspace", "kind", "record_id", "until"], name="waiver_of_record")]

    def __str__(self):
        return f"{self.kind}: {self.entity} {self.record_id} until {self.until:%Y-%m-%d}"
