"""manage.py import_events FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts
from crm.kit.translation import gettext_lazy as _


class Command(ImportContacts):
    """Import engagement events from a CSV file, with the exit statuses and the report of import_contacts.

    An event is kept once, so the file can come again: after an interruption too.
    """

    entity = "engagement"
    help = _(
        "Import engagement events from a CSV file. Required columns: external_id or email, kind, occurred_at. "
        "Open leads are rescored. Safe to re-run: existing events stay unchanged."
    )
