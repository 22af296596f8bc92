from django.db import migrations

from crm.kit.rekey import rekey


class Migration(migrations.Migration):
    dependencies = [("leads", "0014_won_without_opportunity")]
    operations = [
        migrations.RunPython(rekey("leads", "Lead", columns=("search_text",)), migrations.RunPython.noop),
        migrations.RunPython(
            rekey("leads", "LegacyLead", columns=("name_key", "search_text")), migrations.RunPython.noop
        ),
    ]
