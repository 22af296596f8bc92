"""Drop the index on a move's change, no longer used: effects of a change are queried by record."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0004_definitions_and_waits")]

    operations = [migrations.RemoveIndex(model_name="transition", name="transition_change")]
