from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('dashboards', '0003_longer_stage'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='layout',
            options={'base_manager_name': 'objects', 'verbose_name': 'dashboard layout'},
        ),
        migrations.AlterModelOptions(
            name='subscription',
            options={'base_manager_name': 'objects', 'verbose_name': 'dashboard subscription'},
        ),
    ]
