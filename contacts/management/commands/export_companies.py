"""manage.py export_companies --workspace SLUG"""

from contacts.management.commands.export_contacts import Command as ExportContacts
from crm.kit.translation import gettext_lazy as _


class Command(ExportContacts):
    """Export companies as CSV for import_companies, with the options and exit statuses of export_contacts."""

    entity = "company"
    help = _("Export companies as CSV, all or filtered by a view and a condition.")
    columns, condition = "name,domain,parent.name", "country = DE"  # not a text
