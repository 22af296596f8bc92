from django.db import migrations

from crm.kit.operations import OnPostgreSQL


class Migration(migrations.Migration):
    """Trigram index: global search finds opportunities by any part of their name."""

    dependencies = [("opportunities", "0001_initial"), ("contacts", "0003_search")]
    operations = [
        OnPostgreSQL(
            "CREATE INDEX opportunity_search ON opportunities_opportunity USING gin (search_text gin_trgm_ops)",
            "DROP INDEX opportunity_search",
        ),
    ]
