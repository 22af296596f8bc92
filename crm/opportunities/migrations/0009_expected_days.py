from django.db import migrations, models


def copy(apps, schema_editor):
    """Take the expected time of a stage from its newest definition."""
    definitions = apps.get_model("lifecycle", "StageDefinition")._base_manager
    stages = apps.get_model("opportunities", "PipelineStage")._base_manager
    for row in definitions.filter(entity="opportunity", axis="stage").order_by("version"):
        stages.filter(workspace=row.workspace_id, key=row.value).update(expected_days=row.expected_days)


class Migration(migrations.Migration):

    dependencies = [
        ("lifecycle", "0006_texts"),
        ("opportunities", "0008_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="pipelinestage",
            name="expected_days",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.RunPython(copy, migrations.RunPython.noop),
    ]
