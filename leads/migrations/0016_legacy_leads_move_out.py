"""Move legacy leads to an app of their own, keeping their tables."""

from django.db import migrations

MODELS = ("DropConfirmation", "LegacyLead", "LegacyVisit", "MovedLead", "MigrationRun", "OldLeads")


class Migration(migrations.Migration):
    dependencies = [("leads", "0015_fold_keys")]
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name) for name in MODELS])
    ]
