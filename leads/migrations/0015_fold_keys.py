from django.db import migrations

from crm.kit.rekey import refold_keys


class Migration(migrations.Migration):
    dependencies = [("leads", "0014_won_without_opportunity")]
    operations = [
        migrations.RunPython(refold_keys("leads", "Lead", columns=("search_text",)), migrations.RunPython.noop),
        migrations.RunPython(
            refold_keys("leads", "LegacyLead", columns=("name_key", "search_text")), migrations.RunPython.noop
        ),
    ]
