"""The one Celery task. Everything that waits, is tried again or given up is a row; Celery only runs it."""

from celery import shared_task
from django.db import close_old_connections

from crm.events.deliveries import claim_one, run


@shared_task(name="crm.events.deliver")
def deliver(delivery_id: int) -> None:
    """Run a delivery, unless it is done or in another's hands: messages may come twice, or late."""
    close_old_connections()  # one that broke, as before each request
    delivery = claim_one(delivery_id)
    if delivery:
        run(delivery)
