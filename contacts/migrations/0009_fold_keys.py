from django.db import migrations

from crm.kit.rekey import refold_keys


class Migration(migrations.Migration):
    dependencies = [("contacts", "0008_long_texts")]
    operations = [
        migrations.RunPython(
            refold_keys("contacts", "Contact", "Company", columns=("name_key", "search_text")), migrations.RunPython.noop
        ),
    ]
