"""Transitions, guards, stage definitions and waits."""

from django.db import models

from crm.kit.logged import Logged
from crm.kit.translation import gettext_lazy as _
from crm.users.models import Membership, Owned


class Transition(Logged):
    """A move of one record. Analytics read only these rows.

    `at` is when it happened, which an import may backdate; `spent` the time in `from_value` before. An undone move
    keeps its row, with the undoing change in `undone_by`, and counts nowhere.
    """

    entity = models.CharField(max_length=40)
    axis = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    from_value = models.CharField(max_length=30, blank=True)  # '' on creation
    to_value = models.CharField(max_length=30)
    verb = models.CharField(max_length=30)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    spent = models.DurationField(null=True)
    member_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=10)
    change = models.UUIDField()
    undone_by = models.UUIDField(null=True)

    class Meta(Logged.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["workspace_id", "entity", "record_id", "at"], name="transition_record"),
            models.Index(fields=["workspace_id", "entity", "axis", "to_value", "at"], name="transition_entered"),
            # The few moves that bypass the rules, queried every other minute.
            models.Index(
                fields=["workspace_id", "verb", "at"],
                name="transition_past_rules",
                condition=models.Q(verb__in=("override", "reactivate")),
            ),
        ]

    def __str__(self):
        return f"{self.entity} {self.record_id}: {self.from_value} → {self.to_value}"


class Guard(Owned):
    """A required condition for a verb's move, with its error message."""

    entity = models.CharField(_("type of record"), max_length=40)
    verb = models.CharField(_("action"), max_length=30)
    condition = models.TextField(_("condition"))
    message = models.CharField(_("error message"), max_length=200)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(Owned.Meta):
        abstract = False
        verbose_name, verbose_name_plural = _("stage requirement"), _("stage requirements")
        ordering = ["entity", "verb", "position", "pk"]

    def __str__(self):
        return f"{self.verb}: {self.message}"


class StageDefinition(Owned):
    """A version of an axis value's definition in this workspace, by an admin. The highest one counts.

    Values without one use the shipped definition (crm/lifecycle/definitions.py).
    """

    entity = models.CharField(max_length=40)
    axis = models.CharField(max_length=40)
    value = models.CharField(max_length=30)
    version = models.PositiveIntegerField()
    meaning = models.CharField(max_length=300)
    key_question = models.CharField(max_length=300, blank=True)
    next_action = models.CharField(max_length=300, blank=True)
    entry = models.TextField()
    exit = models.TextField(blank=True)
    keeper = models.CharField(max_length=120, blank=True)  # the owner, or that it is automatic
    expected_days = models.PositiveSmallIntegerField(null=True, blank=True)
    member = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("stage definition")
        ordering = ["entity", "axis", "value", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "entity", "axis", "value", "version"], name="stage_definition_version"
            )
        ]

    def __str__(self):
        return f"{self.entity} {self.value}, version {self.version}"


class Wait(Owned):
    """A snoozed record, with reason and end time, until which it is not stuck. It ends automatically."""

    entity = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    reason = models.TextField()
    until = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta(Owned.Meta):
        abstract = False
        verbose_name = _("snooze")
        constraints = [models.UniqueConstraint(fields=["workspace", "entity", "record_id"], name="wait_once")]

    def __str__(self):
        return f"{self.entity} {self.record_id} until {self.until:%Y-%m-%d}"
