from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('leads', '0017_texts'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='assignmentrule',
            options={'base_manager_name': 'objects', 'ordering': ['position', 'pk'], 'verbose_name': 'assignment rule'},
        ),
        migrations.AlterModelOptions(
            name='duty',
            options={'base_manager_name': 'objects', 'verbose_name': 'assignment pool member'},
        ),
        migrations.AlterModelOptions(
            name='firstcontactterms',
            options={'base_manager_name': 'objects', 'verbose_name': 'first-contact SLA'},
        ),
        migrations.AlterModelOptions(
            name='scoringmodel',
            options={'base_manager_name': 'objects', 'verbose_name': 'scoring model'},
        ),
    ]
