"""manage.py import_opportunities FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts
from crm.kit.translation import gettext_lazy as _


class Command(ImportContacts):
    """Import opportunities from a CSV file, with the exit statuses and report of import_contacts.

    Rows match by external ID, then by contact and name, so it can be repeated, also after an interruption.
    """

    entity = "opportunity"
    help = _(
        "Import opportunities from a CSV file. Each row needs a name and a contact (external ID, public ID or email). "
        "Won and lost dates come from the file and move the contact. Safe to run again."
    )
