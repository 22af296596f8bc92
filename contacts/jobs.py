"""Scheduled jobs of contacts."""

from datetime import datetime, timedelta

from django.db import transaction

from contacts.models import Contact, Suppression
from contacts.suppression import follow, status_shows_suppression
from crm.events.scheduler import scheduled
from crm.kit.actor import system
from crm.kit.scope import in_workspace
from crm.users.models import Workspace


@scheduled(every=timedelta(days=1))
def sync_suppressed_status(slot: datetime) -> None:
    """Update contacts' statuses from suppressions, e.g. after manual SQL or an upgrade that added suppressions."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            contacts = Contact.objects.filter(email_key__in=Suppression.objects.values("email_key"))
            # A check costs no transaction, for which others would wait on SQLite.
            if not status_shows_suppression(contacts):
                with transaction.atomic():
                    follow(contacts, system(workspace.pk))
