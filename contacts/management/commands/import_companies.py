"""manage.py import_companies FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts
from crm.kit.translation import gettext_lazy as _


class Command(ImportContacts):
    """Import companies from a CSV file, with the exit statuses and report of import_contacts.

    Rows match by external ID, then by domain, then by name, so it can be repeated, also after an interruption.
    """

    entity = "company"
    help = _(
        "Import companies from a CSV file, each with its parent company, which can come later in the file. Safe to run "
        "again: existing companies are updated."
    )
