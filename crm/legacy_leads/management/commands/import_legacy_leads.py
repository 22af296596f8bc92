"""manage.py import_legacy_leads FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts
from crm.kit.translation import gettext as _


class Command(ImportContacts):
    """Import legacy leads from a CSV file, with the exit statuses and report of import_contacts.

    Rows match by external ID, then by name, email and day, so it can be repeated, also after an interruption.
    """

    entity = "legacy_lead"
    # argparse takes no lazy text.
    help = _(
        "Import legacy leads from a CSV file: our columns, or a lead export of Salesforce or EspoCRM. "
        "migrate_leads turns them into contacts. Safe to repeat."
    )
