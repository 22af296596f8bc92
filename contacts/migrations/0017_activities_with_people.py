import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    """Activities have participants and an opportunity, remind and repeat, and can be listed by time."""

    dependencies = [
        ('contacts', '0016_one_index_of_emails'),
        ('opportunities', '0008_people'),
        ('users', '0009_workspace_country'),
    ]

    operations = [
        migrations.CreateModel(
            name='Participant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('updated_at', models.DateTimeField(editable=False)),
                ('deleted_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'participant',
                'verbose_name_plural': 'participants',
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='activity',
            name='opportunity',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='activities', to='opportunities.opportunity'),
        ),
        migrations.AddField(
            model_name='activity',
            name='reminder',
            field=models.CharField(blank=True, choices=[('0', 'When due'), ('15', '15 minutes before'), ('60', '1 hour before'), ('1440', '1 day before'), ('10080', '1 week before')], db_default='0', default='', max_length=5),
        ),
        migrations.AddField(
            model_name='activity',
            name='repeats',
            field=models.CharField(blank=True, choices=[('daily', 'Daily'), ('weekdays', 'On weekdays'), ('weekly', 'Weekly'), ('fortnightly', 'Every 2 weeks'), ('monthly', 'Monthly'), ('quarterly', 'Every 3 months'), ('yearly', 'Yearly')], db_default='', default='', max_length=11),
        ),
        migrations.AddField(
            model_name='activity',
            name='series_start',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='activity',
            name='subject_key',
            field=models.CharField(db_default='', default='', editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name='activity',
            name='at',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.functions.comparison.Coalesce('occurred_at', 'due_at', 'created_at'), output_field=models.DateTimeField()),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('opportunity__isnull', False)), fields=['opportunity'], name='activity_opportunity'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', 'at', 'id'], name='activity_at'),
        ),
        migrations.AddField(
            model_name='participant',
            name='activity',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='participants', to='contacts.activity'),
        ),
        migrations.AddField(
            model_name='participant',
            name='contact',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='participations', to='contacts.contact'),
        ),
        migrations.AddField(
            model_name='participant',
            name='workspace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='users.workspace'),
        ),
        migrations.AddIndex(
            model_name='participant',
            index=models.Index(fields=['contact'], name='participant_contact'),
        ),
        migrations.AddConstraint(
            model_name='participant',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('activity', 'contact'), name='participant_once'),
        ),
    ]
