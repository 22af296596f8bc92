"""manage.py import_events FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts
from crm.kit.translation import gettext_lazy as _


class Command(ImportContacts):
    """Import engagement events from a CSV file, with the exit statuses and report of import_contacts.

    Events are stored once, so the import can be repeated, also after an interruption.
    """

    entity = "engagement"
    help = _(
        "Import engagement events from a CSV file. Required columns: external_id or email, kind, occurred_at. "
        "Open leads are rescored. Safe to re-run: existing events stay unchanged."
    )
