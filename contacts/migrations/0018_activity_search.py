"""Fill in the search keys of existing activities, in batches; an index for searching them on PostgreSQL."""

from django.db import migrations

from crm.kit.operations import OnPostgreSQL
from crm.kit.text import search_key

BATCH = 1_000


def fill(apps, schema_editor):
    model, last = apps.get_model("contacts", "Activity"), 0
    rows = model.objects.using(schema_editor.connection.alias).order_by("pk").only("pk", "subject")
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        for activity in batch:
            activity.subject_key = search_key(activity.subject)[:200]
        rows.bulk_update(batch, ["subject_key"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0017_activities_with_people")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        OnPostgreSQL(
            "CREATE INDEX activity_search ON contacts_activity USING gin (subject_key gin_trgm_ops)",
            "DROP INDEX activity_search",
        ),
    ]
