from django.db import migrations, models
from django.db.models import Q, deletion

BATCH = 1000
FACTS = (
    "name", "status", "estimated_value", "currency", "source", "created_at", "archived_at", "external_id", "email",
    "phone", "company_name", "description",
)  # fmt: skip


def keep_stayed(apps, schema_editor):
    """Store the facts shown of leads that earlier migrations left in place."""
    LegacyLead, MovedLead = apps.get_model("leads", "LegacyLead"), apps.get_model("leads", "MovedLead")
    stayed = LegacyLead.objects.filter(run__state="committed", outcome__in=("left", "refused"), deleted_at__isnull=True)
    stayed = stayed.exclude(pk__in=MovedLead.objects.values("lead"))
    batch = []
    for lead in stayed.order_by("pk").iterator(chunk_size=BATCH):
        batch.append(_kept(MovedLead, lead))
        if len(batch) == BATCH:
            MovedLead.objects.bulk_create(batch)
            batch = []
    MovedLead.objects.bulk_create(batch)


def _kept(model, lead):
    told = {name: _as_json(getattr(lead, name)) for name in FACTS}
    return model(
        workspace_id=lead.workspace_id, lead=lead.pk, public_id=lead.public_id, name=lead.name, run_id=lead.run_id,
        owner_id=lead.owner_id, team_id=lead.team_id, search_text=lead.search_text,
        told=told | {"value_note": lead.value_note, "why": lead.outcome_note},
    )  # fmt: skip


def _as_json(value):
    return value if value is None or isinstance(value, str) else getattr(value, "isoformat", value.__str__)()


def forget_stayed(apps, schema_editor):
    apps.get_model("leads", "MovedLead").objects.filter(contact__isnull=True).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('leads', '0011_retiring'),
    ]

    operations = [
        migrations.AddField(
            model_name='migrationrun',
            name='in_background',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='migrationrun',
            name='problem',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AddField(
            model_name='oldleads',
            name='plan',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='movedlead',
            name='search_text',
            field=models.TextField(db_default='', default=''),
        ),
        migrations.AlterField(
            model_name='movedlead',
            name='contact',
            field=models.ForeignKey(null=True, on_delete=deletion.CASCADE, related_name='old_leads_moved', to='contacts.contact'),
        ),
        migrations.AddIndex(
            model_name='movedlead',
            index=models.Index(condition=Q(('contact__isnull', True)), fields=['workspace', '-id'], name='moved_lead_stayed'),
        ),
        migrations.RunPython(keep_stayed, forget_stayed),
    ]
