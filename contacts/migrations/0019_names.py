from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0018_activity_search'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='engagementevent',
            options={'base_manager_name': 'objects', 'verbose_name': 'engagement event'},
        ),
        migrations.AlterModelOptions(
            name='freemaildomains',
            options={'base_manager_name': 'objects', 'verbose_name': 'free email domains'},
        ),
        migrations.AlterModelOptions(
            name='suppression',
            options={'base_manager_name': 'objects', 'verbose_name': 'suppression'},
        ),
    ]
