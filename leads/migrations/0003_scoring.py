import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

from leads.scoring import shipped


def leave_room(apps, schema_editor):
    """Reserve space for in-place updates (HOT) of a million scores: new versions of half of each page."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE leads_score SET (fillfactor = 45)")


def install(apps, schema_editor):
    """Install the default model and its guard in existing workspaces."""
    now = timezone.now()
    for workspace in apps.get_model("users", "Workspace").objects.values_list("pk", flat=True):
        apps.get_model("leads", "ScoringModel").objects.create(
            workspace_id=workspace,
            version=1,
            name=shipped.NAME,
            rules=shipped.RULES,
            half_life=shipped.HALF_LIFE,
            epoch=now,
            created_at=now,
        )
        apps.get_model("lifecycle", "Guard").objects.create(
            workspace_id=workspace,
            entity="contact",
            verb="qualify",
            condition="lead_score >= 40",
            message="Lead score too low",
            position=1,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0002_assignment"),
        ("lifecycle", "0002_initial"),
        ("users", "0002_shortcuts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScoringRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("full", models.BooleanField(default=False)),
                ("exact", models.BooleanField(default=False)),
                ("change", models.UUIDField()),
                ("scored", models.BigIntegerField(default=0)),
                ("cursor", models.BigIntegerField(default=0)),
                ("leads", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("up", models.PositiveIntegerField(default=0)),
                ("down", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="users.workspace"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("workspace"),
                        condition=models.Q(("finished_at__isnull", True)),
                        name="scoring_run_one_open",
                    )
                ],
            },
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
