"""The audit log: one immutable entry for each change of each record."""

from django.db import models

from crm.kit.logged import Logged


class Entry(Logged):
    """Who changed what, from what to what (source 003, Audit Trail). The database refuses to change or delete one.

    `at` is when it happened, which an import may date; `recorded_at` when it was written down. `change` groups the
    entries of one user action. `person` is the contact whose timeline it belongs to. `salt` and `erased_by` let
    the values be erased without breaking the seal over the rest.
    """

    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    member_id = models.BigIntegerField(null=True)  # null: the system
    channel = models.CharField(max_length=10)
    event = models.CharField(max_length=60)
    action = models.CharField(max_length=20)
    entity = models.CharField(max_length=40)
    entity_id = models.BigIntegerField()
    person = models.BigIntegerField(null=True)
    old_values = models.JSONField(null=True)
    new_values = models.JSONField(null=True)
    note = models.TextField(null=True)
    severity = models.CharField(max_length=10)
    category = models.CharField(max_length=20)
    change = models.UUIDField()
    salt = models.CharField(max_length=32, null=True)
    erased_by = models.BigIntegerField(null=True)

    class Meta(Logged.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["workspace_id", "entity", "entity_id", "at", "id"], name="entry_subject"),
            models.Index(
                fields=["workspace_id", "person", "at", "id"],
                name="entry_person",
                condition=models.Q(person__isnull=False),
            ),
            models.Index(fields=["workspace_id", "change"], name="entry_change"),
            models.Index(fields=["workspace_id", "at", "id"], name="entry_time"),
        ]

    def __str__(self):
        return f"{self.event} {self.entity} {self.entity_id}"
