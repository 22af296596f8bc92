from django.db import migrations

from crm.kit.rekey import refold_keys


class Migration(migrations.Migration):
    dependencies = [("opportunities", "0002_search")]
    operations = [
        migrations.RunPython(
            refold_keys("opportunities", "Opportunity", columns=("name_key", "search_text")), migrations.RunPython.noop
        ),
    ]
