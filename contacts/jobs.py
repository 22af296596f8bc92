"""What runs on a schedule for contacts."""

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
    """Show suppressions on contacts that differ, e.g. after SQL by hand or an upgrade that brought suppressions."""
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            contacts = Contact.objects.filter(email_key__in=Suppression.objects.values("email_key"))
            # Looking costs no transaction, for which others would wait on SQLite.
            if not status_shows_suppression(contacts):
                with transaction.atomic():
                    follow(contacts, system(workspace.pk))
