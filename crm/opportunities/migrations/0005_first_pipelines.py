from decimal import Decimal

from django.db import migrations

# Key, label, kind, probability in percent, tone. What was fixed in the code before stages were data.
STAGES = (
    ("prospecting", "Prospecting", "open", 10, "grey"),
    ("qualification", "Qualification", "open", 25, "blue"),
    ("proposal", "Proposal", "open", 50, "violet"),
    ("negotiation", "Negotiation", "open", 75, "amber"),
    ("won", "Won", "won", 100, "green"),
    ("lost", "Lost", "lost", 0, "red"),
)


def install(apps, schema_editor):
    """Give every workspace the pipeline that its opportunities are in."""
    pipelines = apps.get_model("opportunities", "Pipeline")._base_manager
    stages = apps.get_model("opportunities", "PipelineStage")
    for workspace in apps.get_model("users", "Workspace").objects.all():
        pipelines.create(workspace=workspace, key="sales", name="Sales", is_default=True)
        stages._base_manager.bulk_create(
            stages(
                workspace=workspace,
                pipeline="sales",
                key=key,
                label=label,
                kind=kind,
                position=position,
                probability=Decimal(probability) / 100,
                tone=tone,
                is_for_converted=key == "qualification",
            )
            for position, (key, label, kind, probability, tone) in enumerate(STAGES)
        )
    opportunities = apps.get_model("opportunities", "Opportunity")._base_manager
    for kind in ("won", "lost"):
        opportunities.filter(stage=kind).update(stage_kind=kind)


def back(apps, schema_editor):
    """Return opportunities of other stages to the fixed ones: won, lost, or the first open one."""
    opportunities = apps.get_model("opportunities", "Opportunity")._base_manager
    others = opportunities.exclude(stage__in=[key for key, *_ in STAGES])
    for kind, key in (("open", "prospecting"), ("won", "won"), ("lost", "lost")):
        others.filter(stage_kind=kind).update(stage=key)
    apps.get_model("opportunities", "PipelineStage")._base_manager.all().delete()
    apps.get_model("opportunities", "Pipeline")._base_manager.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ("opportunities", "0004_pipelines"),
    ]

    operations = [migrations.RunPython(install, back)]
