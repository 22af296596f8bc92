"""manage.py import_legacy_leads FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts


class Command(ImportContacts):
    """Import old leads from a CSV file, with the exit statuses and the report of import_contacts.

    Rows match by external ID, else by name, e-mail and day, so it can be run again: after an interruption too.
    """

    entity = "legacy_lead"
    help = (
        "Import the leads of the entity that was retired from a CSV file: our columns, or those of a Salesforce or an "
        "EspoCRM lead export. migrate_leads makes contacts of them. Can be repeated."
    )
