from django.db import migrations

from crm.kit.operations import OnPostgreSQL


class Migration(migrations.Migration):
    """Trigram indexes: substring search of name, email or phone without reading every record."""

    dependencies = [("contacts", "0002_initial")]
    operations = [
        OnPostgreSQL("CREATE EXTENSION IF NOT EXISTS pg_trgm", migrations.RunSQL.noop),
        OnPostgreSQL(
            "CREATE INDEX contact_search ON contacts_contact USING gin (search_text gin_trgm_ops)",
            "DROP INDEX contact_search",
        ),
        OnPostgreSQL(
            "CREATE INDEX company_search ON contacts_company USING gin (search_text gin_trgm_ops)",
            "DROP INDEX company_search",
        ),
    ]
