"""Fill in activities' times, assignees of open ones, and call outcomes from free text."""

from django.db import migrations
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import Concat, Lower, Trim

SAID = {
    "connected": ("connected", "call connected", "reached", "spoke", "spoke with them", "talked", "answered"),
    "left_voicemail": (
        "left voicemail", "left a voicemail", "voicemail", "left vm", "vm", "left a message", "left message",
    ),
    "no_answer": (
        "no answer", "no reply", "not reached", "unanswered", "didn't pick up", "did not pick up", "not available",
    ),
    "busy": ("busy", "line busy", "engaged"),
    "wrong_number": ("wrong number", "invalid number", "number not in service"),
}  # fmt: skip


def fill(apps, schema_editor):
    """Fill in the columns. Text that is no known outcome is appended to the activity's text."""
    activities = apps.get_model("contacts", "Activity").objects.all()
    activities.filter(status="done").update(occurred_at=F("done_at"))
    activities.filter(Q(status="pending") | Q(kind="task")).update(assignee=F("owner"))
    entries = apps.get_model("audit", "Entry").objects.filter(entity="activity", channel="workflow", action="CREATE")
    activities.filter(pk__in=entries.values("entity_id")).update(automatic=True)
    calls = activities.filter(kind="call").exclude(outcome="").annotate(said=Trim(Lower("outcome")))
    for outcome, texts in SAID.items():
        calls.filter(said__in=texts).update(outcome=outcome)
    told = Concat(Value("Outcome: "), F("outcome"), output_field=TextField())
    below = Concat(F("body"), Value("\n\n"), told, output_field=TextField())
    rest = activities.exclude(outcome="").exclude(kind="call", outcome__in=list(SAID))
    rest.update(body=Case(When(body="", then=told), default=below), outcome="")


class Migration(migrations.Migration):

    dependencies = [("audit", "0003_plural"), ("contacts", "0006_activity_outcomes")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
