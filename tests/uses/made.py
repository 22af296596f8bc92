"""One setting of every kind, referring to the field Tier, or to the view of Gold contacts."""

from copy import deepcopy
from types import SimpleNamespace

from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.axes import LIFECYCLE
from crm.campaigns.verbs.save_campaign import save_campaign
from crm.dashboards.verbs.subscribe import subscribe
from crm.entities.models import CustomField
from crm.entities.versions import bump_schema
from crm.lifecycle.models import Guard
from crm.lifecycle.verbs.save_definition import save_definition
from crm.lifecycle.verbs.save_guard import save_guard
from crm.lists.models import ImportRun
from crm.lists.verbs.save_view import save_view
from leads.assignment.models import AssignmentRule
from leads.scoring import shipped
from leads.verbs.save_assignment_rule import save_assignment_rule
from leads.verbs.save_scoring_model import save_scoring_model
from tests.factories import make_field
from tests.workflows.conftest import make_flow, set_field, task

GOLD, SILVER = {"value": "gold", "label": "Gold"}, {"value": "silver", "label": "Silver"}


def _saved_view(s):
    return save_view(
        "contact", "Golden", by=s.by("manager"), condition="tier = Gold", columns=("name", "tier"), shared=True
    )


def _import_run(s):
    file = SimpleUploadedFile("people.csv", b"Name,Tier\nAda,Silver\n", "text/csv")
    s.client("rep").post("/contact/import", {"file": file})
    return ImportRun.objects.get()


def _guard(s):
    facts = {"entity": "contact", "verb": "qualify", "condition": "tier = Gold", "message": "Only Gold"}
    return save_guard(Guard(**facts), by=s.by("admin"))


def _stage_definition(s):
    words = {"meaning": "New", "entry": "tier = Gold", "exit": "tier = Gold", "expected_days": 3}
    return save_definition(LIFECYCLE, "lead", words, by=s.by("admin"))


def _campaign(s):
    facts = {"name": "Spring", "segment": "golden", "subject": "For {Tier}", "body": "Hello {name}"}
    return save_campaign(None, facts, by=s.by("manager"))


def _assignment_rule(s):
    facts = {"name": "Gold first", "condition": "contact.tier = Gold", "people": [s.cast.mate.pk]}
    return save_assignment_rule(AssignmentRule(**facts), by=s.by("admin"))


def _scoring_model(s):
    rules = deepcopy(shipped.RULES)
    rules["fit"].append({"label": "Tier", "cases": [{"when": "contact.Tier = Gold", "points": 10}]})
    return save_scoring_model("With tiers", rules, 30, by=s.by("admin"))


def _workflow(s):
    trigger = {"kind": "event", "entity": "contact", "event": "contact.created"}
    steps = (set_field("tier", "Gold"), task("For {Tier}"))
    return make_flow(s.by("admin"), trigger, *steps, condition="tier = Gold", name="Welcome")


def _subscription(s):
    return subscribe("where=tier+%3D+Gold", days=30, every="week", by=s.by("rep"))


def _custom_field(s):
    return make_field("partner", "link", target="company")


# By name of the storer; a segment needs its view.
SETTINGS = {
    "saved_view": _saved_view,
    "import_run": _import_run,
    "guard": _guard,
    "stage_definition": _stage_definition,
    "campaign": _campaign,
    "assignment_rule": _assignment_rule,
    "scoring_model": _scoring_model,
    "workflow": _workflow,
    "subscription": _subscription,
    "custom_field": _custom_field,
}
BLOCKING = SETTINGS.keys() - {"import_run", "subscription", "custom_field"}


def make_settings(cast, actor, sign_in) -> SimpleNamespace:
    """Create the field and these settings; return them by name."""
    space = SimpleNamespace(cast=cast, by=actor, client=sign_in)
    field = make_field("tier", "select", choices=[GOLD, SILVER])
    made = {name: make(space) for name, make in SETTINGS.items()}
    return SimpleNamespace(field=field, **made)


def _without_gold():
    CustomField.objects.filter(key="tier").update(choices=[SILVER])


def _archived():
    CustomField.objects.filter(key="tier").update(archived_at="2026-01-01T00:00:00Z")


def _gone():
    CustomField.objects.filter(key="tier").delete()


# Without verbs, as from a restored backup.
BREAKS = {"option gone": _without_gold, "field archived": _archived, "field gone": _gone}


def break_settings(how: str) -> None:
    """Make all settings invalid, bypassing any refusal."""
    BREAKS[how]()
    CustomField.objects.filter(key="partner").update(target="parcel")
    bump_schema()
