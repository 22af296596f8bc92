"""What a handler left behind; nothing forbids a second row for the same event, so that doing it twice shows."""

from django.db import models


class Effect(models.Model):
    """The handler was called for that event, and its transaction was committed."""

    event = models.BigIntegerField()

    def __str__(self):
        return f"effect of {self.event}"
