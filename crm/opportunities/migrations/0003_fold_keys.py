from django.db import migrations

from crm.kit.rekey import rekey


class Migration(migrations.Migration):
    dependencies = [("opportunities", "0002_search")]
    operations = [
        migrations.RunPython(
            rekey("opportunities", "Opportunity", columns=("name_key", "search_text")), migrations.RunPython.noop
        ),
    ]
