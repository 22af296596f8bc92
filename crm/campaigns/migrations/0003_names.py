from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0002_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='campaign',
            options={'base_manager_name': 'objects', 'verbose_name': 'campaign'},
        ),
        migrations.AlterModelOptions(
            name='campaignperson',
            options={'base_manager_name': 'objects', 'verbose_name': 'campaign recipient'},
        ),
    ]
