from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('opportunities', '0005_first_pipelines'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', 'stage_kind', 'close_date', 'id'], name='opportunity_kind'),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', 'owner', 'close_date', 'id'], include=('stage_kind', 'stage', 'team'), name='opportunity_owner'),
        ),
        migrations.AddIndex(
            model_name='opportunity',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['workspace', 'team', 'close_date', 'id'], include=('stage_kind', 'stage', 'owner'), name='opportunity_team'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage_kind', 'won'), ('won_at__isnull', False)), models.Q(models.Q(('stage_kind', 'won'), _negated=True), ('won_at__isnull', True)), _connector='OR'), name='opportunity_won_is_dated'),
        ),
        migrations.AddConstraint(
            model_name='opportunity',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lost_at__isnull', False), ('stage_kind', 'lost')), models.Q(models.Q(('stage_kind', 'lost'), _negated=True), ('lost_at__isnull', True)), _connector='OR'), name='opportunity_lost_is_dated'),
        ),
    ]
