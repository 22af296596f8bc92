"""The old leads have an app of their own, which keeps their tables as they are."""

from django.db import migrations

MODELS = ("DropConfirmation", "LegacyLead", "LegacyVisit", "MovedLead", "MigrationRun", "OldLeads")


class Migration(migrations.Migration):
    dependencies = [("leads", "0015_fold_keys")]
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name) for name in MODELS])
    ]
