from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('lists', '0006_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='savedview',
            options={'base_manager_name': 'objects', 'ordering': ['name'], 'verbose_name': 'saved view'},
        ),
    ]
