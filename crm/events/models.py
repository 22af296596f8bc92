"""The outbox: an event is a row, written in the transaction of the change, before it is a message."""

from django.db import models

from crm.kit.logged import Logged


class Event(Logged):
    """Something that happened to a record, waiting to be told to whoever handles it."""

    name = models.CharField(max_length=60)
    entity = models.CharField(max_length=40)
    entity_id = models.BigIntegerField()
    person = models.BigIntegerField(null=True)  # the contact concerned
    member_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=10)
    change = models.UUIDField()
    old_values = models.JSONField(null=True)
    new_values = models.JSONField(null=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta(Logged.Meta):
        abstract = False

    def __str__(self):
        return f"{self.name} {self.entity_id}"
