"""A handler with the duration of a short query over a network."""

import time

from crm.events.handlers import handles
from tests.events.app.models import Effect


@handles("contact.lost")
def leave_a_trace(event, *, by):
    """Write one row per call."""
    Effect.objects.create(event=event.pk)
    time.sleep(0.005)
