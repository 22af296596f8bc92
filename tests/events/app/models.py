"""Effects of a handler; without a unique constraint, so that duplicates show."""

from django.db import models


class Effect(models.Model):
    """A committed call of the handler for that event."""

    event = models.BigIntegerField()

    def __str__(self):
        return f"effect of {self.event}"
