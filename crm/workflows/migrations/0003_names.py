from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0002_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='release',
            options={'base_manager_name': 'objects', 'verbose_name': 'release of held workflows'},
        ),
        migrations.AlterModelOptions(
            name='workflow',
            options={'base_manager_name': 'objects', 'ordering': ['name', 'pk'], 'verbose_name': 'workflow'},
        ),
        migrations.AlterModelOptions(
            name='workflowversion',
            options={'base_manager_name': 'objects', 'ordering': ['-number'], 'verbose_name': 'workflow version'},
        ),
    ]
