"""Lead factories."""

from datetime import timedelta

from django.utils import timezone

from contacts.models import Contact
from crm.kit import clock
from crm.kit.scope import workspace_id
from leads.models import Lead, Score, ScoringModel
from tests.factories import make_contact


def score(lead: Lead, tenths: int) -> None:
    """Set a lead's score, like a calculation."""
    model = ScoringModel.objects.order_by("-version").first() or ScoringModel.objects.create(
        version=1, name="Test", rules={}, half_life=30, epoch=timezone.now(), created_at=timezone.now()
    )
    values = {"score_tenths": tenths, "fit": 0, "engagement": 0, "engagement_sum": 0, "scored_at": clock.now()}
    Score.objects.update_or_create(lead=lead, workspace_id=workspace_id(), defaults=values | {"model": model})


def put(lead: Lead, status: str, stage: str) -> Lead:
    """Put a lead in a state no verb produces, to test the next one."""
    now = clock.now()
    also = {"lost_date": now} if status == "lost" else {"converted_date": now} if status == "converted" else {}
    Lead.objects.filter(pk=lead.pk).update(status=status, stage=stage, **also)
    lead.refresh_from_db()
    return lead


def make_lead(contact: Contact | None = None, *, status: str = "new", stage: str = "top_of_funnel", **person) -> Lead:
    """Create the open lead of a contact, by default a new one, in a status and stage."""
    contact = contact or make_contact(**person)
    lead = Lead.objects.open().get(contact=contact)
    return put(lead, status, stage) if (status, stage) != ("new", "top_of_funnel") else lead


def ready(**person) -> Lead:
    """Create a lead that may be converted, manually staged, because its score would not hold it."""
    lead = make_lead(status="qualified", stage="sales_qualified", **person)
    floor = {"floor_stage": lead.stage, "floor_until": clock.now() + timedelta(days=14), "floor_reason": "x"}
    Lead.objects.filter(pk=lead.pk).update(**floor)
    lead.refresh_from_db()
    return lead
