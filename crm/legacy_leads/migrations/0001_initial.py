"""Take over the legacy lead tables from the leads app, without database changes."""

import crm.kit.ids
import django.db.models.deletion
import functools
import uuid
from django.db import migrations, models


LEADS = "leads"
MODELS = ("dropconfirmation", "legacylead", "legacyvisit", "movedlead", "migrationrun", "oldleads")


def take_content_types(apps, schema_editor):
    """Move content types, so that the Django admin's history still refers to the models."""
    types = apps.get_model("contenttypes", "ContentType").objects
    types.filter(app_label=LEADS, model__in=MODELS).update(app_label="legacy_leads")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contacts', '0010_sparse_links'),
        ('contenttypes', '0002_remove_content_type_name'),
        ('leads', '0016_legacy_leads_move_out'),
        ('opportunities', '0003_fold_keys'),
        ('users', '0005_encrypt_second_factors'),
    ]

    operations = [
        migrations.RunPython(take_content_types, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.CreateModel(
                name='MigrationRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(default=functools.partial(crm.kit.ids.new_id, *('migration',), **{}), editable=False, max_length=20, unique=True)),
                    ('include_lost', models.BooleanField(default=False)),
                    ('state', models.CharField(choices=[('running', 'Running'), ('committed', 'Committed'), ('undoing', 'Being undone'), ('undone', 'Undone')], default='running', max_length=9)),
                    ('change', models.UUIDField(default=uuid.uuid4)),
                    ('leads', models.PositiveIntegerField(default=0)),
                    ('created', models.PositiveIntegerField(default=0)),
                    ('reused', models.PositiveIntegerField(default=0)),
                    ('left', models.PositiveIntegerField(default=0)),
                    ('refused', models.PositiveIntegerField(default=0)),
                    ('opportunities', models.PositiveIntegerField(default=0)),
                    ('amount_in', models.JSONField(default=dict)),
                    ('amount_opportunities', models.JSONField(default=dict)),
                    ('amount_listed', models.JSONField(default=dict)),
                    ('kept', models.JSONField(default=list)),
                    ('in_background', models.BooleanField(db_default=False, default=False)),
                    ('problem', models.TextField(db_default='', default='')),
                    ('started_at', models.DateTimeField()),
                    ('committed_at', models.DateTimeField(null=True)),
                    ('undone_at', models.DateTimeField(null=True)),
                    ('member', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='users.membership')),
                    ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace')),
                ],
                options={
                    'verbose_name': 'lead migration',
                    'db_table': 'leads_migrationrun',
                    'ordering': ['-pk'],
                    'abstract': False,
                    'base_manager_name': 'objects',
                },
            ),
            migrations.CreateModel(
                name='LegacyLead',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('external_id', models.CharField(blank=True, max_length=100)),
                    ('custom', models.JSONField(blank=True, default=dict)),
                    ('search_text', models.TextField(blank=True, editable=False)),
                    ('version', models.PositiveIntegerField(default=1, editable=False)),
                    ('created_at', models.DateTimeField(editable=False)),
                    ('updated_at', models.DateTimeField(editable=False)),
                    ('deleted_at', models.DateTimeField(editable=False, null=True)),
                    ('public_id', models.CharField(default=functools.partial(crm.kit.ids.new_id, *('legacy',), **{}), editable=False, max_length=20, unique=True)),
                    ('name', models.CharField(blank=True, max_length=200)),
                    ('name_key', models.CharField(editable=False, max_length=200)),
                    ('first_name', models.CharField(blank=True, max_length=100)),
                    ('last_name', models.CharField(blank=True, max_length=100)),
                    ('email', models.CharField(blank=True, max_length=254)),
                    ('phone', models.CharField(blank=True, max_length=60)),
                    ('company_name', models.CharField(blank=True, max_length=200)),
                    ('status', models.CharField(choices=[('new', 'New'), ('working', 'Working'), ('qualified', 'Qualified'), ('converted', 'Converted'), ('lost', 'Lost')], default='new', max_length=9)),
                    ('source', models.CharField(blank=True, max_length=100)),
                    ('description', models.TextField(blank=True, max_length=50000)),
                    ('estimated_value', models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True)),
                    ('currency', models.CharField(max_length=3)),
                    ('archived_at', models.DateTimeField(editable=False, null=True)),
                    ('outcome', models.CharField(blank=True, choices=[('created', 'Became a new contact'), ('reused', 'Joined a contact'), ('left', 'Left'), ('refused', 'Could not be moved')], editable=False, max_length=7)),
                    ('outcome_note', models.TextField(blank=True, editable=False)),
                    ('value_note', models.TextField(blank=True, editable=False)),
                    ('became_contact', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='legacy_leads', to='contacts.contact')),
                    ('became_opportunity', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='legacy_leads', to='opportunities.opportunity')),
                    ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='linked_legacy_leads', to='contacts.contact')),
                    ('owner', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='users.membership')),
                    ('team', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='users.team')),
                    ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace')),
                    ('run', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='rows', to='legacy_leads.migrationrun')),
                ],
                options={
                    'verbose_name': 'old lead',
                    'db_table': 'leads_legacylead',
                    'abstract': False,
                    'base_manager_name': 'objects',
                },
            ),
            migrations.CreateModel(
                name='MovedLead',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('lead', models.BigIntegerField()),
                    ('public_id', models.CharField(max_length=20, unique=True)),
                    ('name', models.CharField(blank=True, max_length=200)),
                    ('search_text', models.TextField(db_default='', default='')),
                    ('told', models.JSONField(default=dict)),
                    ('contact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='old_leads_moved', to='contacts.contact')),
                    ('owner', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='users.membership')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='moved', to='legacy_leads.migrationrun')),
                    ('team', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='users.team')),
                    ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace')),
                ],
                options={
                    'db_table': 'leads_movedlead',
                    'abstract': False,
                    'base_manager_name': 'objects',
                },
            ),
            migrations.CreateModel(
                name='OldLeads',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('since', models.DateTimeField()),
                    ('digest', models.CharField(blank=True, max_length=64)),
                    ('rows', models.PositiveIntegerField(default=0)),
                    ('exported_at', models.DateTimeField(null=True)),
                    ('rehearsed_at', models.DateTimeField(null=True)),
                    ('dropped_at', models.DateTimeField(null=True)),
                    ('plan', models.JSONField(null=True)),
                    ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace')),
                ],
                options={
                    'verbose_name': 'retired leads',
                    'verbose_name_plural': 'retired leads',
                    'db_table': 'leads_oldleads',
                    'abstract': False,
                    'base_manager_name': 'objects',
                },
            ),
            migrations.CreateModel(
                name='DropConfirmation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.membership')),
                    ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace')),
                ],
                options={
                    'db_table': 'leads_dropconfirmation',
                    'abstract': False,
                    'base_manager_name': 'objects',
                    'constraints': [models.UniqueConstraint(fields=('member',), name='drop_confirmation_once')],
                },
            ),
            migrations.CreateModel(
                name='LegacyVisit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('day', models.DateField()),
                    ('place', models.CharField(db_default='', default='', max_length=120)),
                    ('reads', models.PositiveIntegerField(db_default=1, default=1)),
                    ('last_at', models.DateTimeField(null=True)),
                    ('member', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.membership')),
                    ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace')),
                ],
                options={
                    'verbose_name': 'read of the retired leads',
                    'verbose_name_plural': 'reads of the retired leads',
                    'db_table': 'leads_legacyvisit',
                    'abstract': False,
                    'base_manager_name': 'objects',
                    'indexes': [models.Index(fields=['workspace', '-last_at'], name='legacy_visit_latest')],
                },
            ),
            migrations.AddConstraint(
                model_name='migrationrun',
                constraint=models.UniqueConstraint(models.F('workspace'), condition=models.Q(('state__in', ('running', 'undoing'))), name='migration_run_one_at_a_time'),
            ),
            migrations.AddIndex(
                model_name='legacylead',
                index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', '-created_at', '-id'], name='legacy_lead_newest'),
            ),
            migrations.AddIndex(
                model_name='legacylead',
                index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', 'owner', '-created_at', '-id'], name='legacy_lead_owner'),
            ),
            migrations.AddIndex(
                model_name='legacylead',
                index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', 'team', '-created_at', '-id'], name='legacy_lead_team'),
            ),
            migrations.AddIndex(
                model_name='legacylead',
                index=models.Index(fields=['workspace', 'created_at', 'id'], name='legacy_lead_oldest'),
            ),
            migrations.AddConstraint(
                model_name='legacylead',
                constraint=models.UniqueConstraint(models.F('workspace'), models.F('external_id'), condition=models.Q(('deleted_at__isnull', True), models.Q(('external_id', ''), _negated=True)), name='legacy_lead_external_id'),
            ),
            migrations.AddConstraint(
                model_name='legacylead',
                constraint=models.CheckConstraint(condition=models.Q(('status__in', ['new', 'working', 'qualified', 'converted', 'lost'])), name='legacy_lead_status_known'),
            ),
            migrations.AddConstraint(
                model_name='legacylead',
                constraint=models.CheckConstraint(condition=models.Q(('estimated_value__isnull', True), ('estimated_value__gte', 0), _connector='OR'), name='legacy_lead_value_positive'),
            ),
            migrations.AddIndex(
                model_name='movedlead',
                index=models.Index(fields=['workspace', 'lead'], name='moved_lead_lead'),
            ),
            migrations.AddIndex(
                model_name='movedlead',
                index=models.Index(condition=models.Q(('contact__isnull', True)), fields=['workspace', '-id'], name='moved_lead_stayed'),
            ),
            migrations.AddConstraint(
                model_name='oldleads',
                constraint=models.UniqueConstraint(fields=('workspace',), name='old_leads_once'),
            ),
        ]),
    ]
