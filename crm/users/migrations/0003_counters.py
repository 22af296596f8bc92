from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    call_command("createcachetable", "counters", database=schema_editor.connection.alias)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE counters")


class Migration(migrations.Migration):
    """The table of the cache that counts sign-ins (CACHES in settings.py)."""

    dependencies = [("users", "0002_shortcuts")]
    operations = [migrations.RunPython(create, drop)]
