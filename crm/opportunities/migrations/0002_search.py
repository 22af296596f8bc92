from django.db import migrations

from crm.kit.operations import OnPostgreSQL


class Migration(migrations.Migration):
    """A trigram index: the search over everything finds an opportunity by any part of its name."""

    dependencies = [("opportunities", "0001_initial"), ("contacts", "0003_search")]
    operations = [
        OnPostgreSQL(
            "CREATE INDEX opportunity_search ON opportunities_opportunity USING gin (search_text gin_trgm_ops)",
            "DROP INDEX opportunity_search",
        ),
    ]
