"""manage.py import_events FILE --workspace SLUG"""

from contacts.management.commands.import_contacts import Command as ImportContacts


class Command(ImportContacts):
    """Import engagement events from a CSV file, with the exit statuses and the report of import_contacts.

    An event is kept once, so the file can come again: after an interruption too.
    """

    entity = "engagement"
    help = (
        "Import what contacts did from a CSV file: whose it is (external_id or email), kind and occurred_at. Their "
        "open leads are scored anew. Can be repeated: events that are there already stay as they are."
    )
