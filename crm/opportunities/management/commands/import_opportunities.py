"""manage.py import_opportunities FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts


class Command(ImportContacts):
    """Import opportunities from a CSV file, with the exit statuses and the report of import_contacts.

    Rows match by external ID, else by contact and name, so it can be run again: after an interruption too.
    """

    entity = "opportunity"
    help = (
        "Import opportunities from a CSV file: name and contact (external ID, public id or e-mail) are needed; what "
        "was won or lost is dated by the file, and moves its contact. Can be repeated."
    )
