# Parents, addresses, merges and domains of companies
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0011_texts'),
        ('users', '0007_texts'),
    ]

    operations = [
        migrations.CreateModel(
            name='CompanyDomain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=200)),
                ('live', models.BooleanField(default=True)),
                ('shared', models.BooleanField(default=False)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='FreeMailDomains',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domains', models.TextField(blank=True, max_length=50000)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='company',
            name='merged_into',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merged', to='contacts.company'),
        ),
        migrations.AddField(
            model_name='company',
            name='other_domains',
            field=models.TextField(blank=True, db_default='', default='', max_length=50000),
        ),
        migrations.AddField(
            model_name='company',
            name='parent',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='subsidiaries', to='contacts.company'),
        ),
        migrations.AddField(
            model_name='company',
            name='postal_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='company',
            name='region',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='company',
            name='street2',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddIndex(
            model_name='company',
            index=models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent'], name='company_parent'),
        ),
        migrations.AddIndex(
            model_name='company',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='company_merged'),
        ),
        migrations.AddConstraint(
            model_name='company',
            constraint=models.CheckConstraint(condition=models.Q(('parent', models.F('pk')), _negated=True), name='company_not_its_own_parent'),
        ),
        migrations.AddField(
            model_name='companydomain',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='domain_rows', to='contacts.company'),
        ),
        migrations.AddField(
            model_name='companydomain',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace'),
        ),
        migrations.AddField(
            model_name='freemaildomains',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace'),
        ),
        migrations.AddIndex(
            model_name='companydomain',
            index=models.Index(condition=models.Q(('live', True)), fields=['workspace', 'domain'], name='company_domain'),
        ),
        migrations.AddConstraint(
            model_name='companydomain',
            constraint=models.UniqueConstraint(condition=models.Q(('live', True), ('shared', False)), fields=('workspace', 'domain'), name='company_domain_once'),
        ),
        migrations.AddConstraint(
            model_name='freemaildomains',
            constraint=models.UniqueConstraint(models.F('workspace'), name='free_mail_domains_once'),
        ),
    ]
