"""The only Celery task. Waiting, retrying and giving up are rows in the database; Celery only runs deliveries."""

from celery import shared_task
from django.db import close_old_connections

from crm.events.deliveries import claim_one, run


@shared_task(name="crm.events.deliver")
def deliver(delivery_id: int) -> None:
    """Run a delivery unless it is done or leased elsewhere: messages can arrive twice or late."""
    close_old_connections()  # drops broken connections, as before each request
    delivery = claim_one(delivery_id)
    if delivery:
        run(delivery)
