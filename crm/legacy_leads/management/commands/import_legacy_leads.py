"""manage.py import_legacy_leads FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts
from crm.kit.translation import gettext as _


class Command(ImportContacts):
    """Import old leads from a CSV file, with the exit statuses and the report of import_contacts.

    Rows match by external ID, else by name, e-mail and day, so it can be run again: after an interruption too.
    """

    entity = "legacy_lead"
    # argparse takes no lazy text.
    help = _(
        "Import legacy leads from a CSV file: our columns, or a lead export of Salesforce or EspoCRM. "
        "migrate_leads turns them into contacts. Safe to repeat."
    )
