"""Nothing looks a move up by its change any more: what a change did is asked of given records."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0004_definitions_and_waits")]

    operations = [migrations.RemoveIndex(model_name="transition", name="transition_change")]
