from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0003_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='waiver',
            options={'base_manager_name': 'objects', 'verbose_name': 'dismissed exception'},
        ),
    ]
