from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0003_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='preference',
            options={'base_manager_name': 'objects', 'verbose_name': 'notification settings'},
        ),
    ]
