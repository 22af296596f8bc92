from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('lifecycle', '0006_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='stagedefinition',
            options={'base_manager_name': 'objects', 'ordering': ['entity', 'axis', 'value', 'version'], 'verbose_name': 'stage definition'},
        ),
        migrations.AlterModelOptions(
            name='wait',
            options={'base_manager_name': 'objects', 'verbose_name': 'snooze'},
        ),
    ]
