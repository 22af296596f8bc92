"""Leads as the tests want them."""

from datetime import timedelta

from django.utils import timezone

from contacts.models import Contact
from crm.kit import clock
from crm.kit.scope import workspace_id
from leads.models import Lead, Score, ScoringModel
from tests.factories import make_contact


def score(lead: Lead, tenths: int) -> None:
    """Give a lead a score, as a calculation would."""
    model = ScoringModel.objects.order_by("-version").first() or ScoringModel.objects.create(
        version=1, name="Test", rules={}, half_life=30, epoch=timezone.now(), created_at=timezone.now()
    )
    values = {"score_tenths": tenths, "fit": 0, "engagement": 0, "engagement_sum": 0, "scored_at": clock.now()}
    Score.objects.update_or_create(lead=lead, workspace_id=workspace_id(), defaults=values | {"model": model})


def put(lead: Lead, status: str, stage: str) -> Lead:
    """Set a lead where no verb would take it, to see what the next one makes of it."""
    now = clock.now()
    also = {"lost_date": now} if status == "lost" else {"converted_date": now} if status == "converted" else {}
    Lead.objects.filter(pk=lead.pk).update(status=status, stage=stage, **also)
    lead.refresh_from_db()
    return lead


def make_lead(contact: Contact | None = None, *, status: str = "new", stage: str = "top_of_funnel", **person) -> Lead:
    """The open lead of a contact, or of a new one, put at a status and a stage."""
    contact = contact or make_contact(**person)
    lead = Lead.objects.open().get(contact=contact)
    return put(lead, status, stage) if (status, stage) != ("new", "top_of_funnel") else lead


def ready(**person) -> Lead:
    """A lead that may be converted: by hand, for no score of its holds it there."""
    lead = make_lead(status="qualified", stage="sales_qualified", **person)
    floor = {"floor_stage": lead.stage, "floor_until": clock.now() + timedelta(days=14), "floor_reason": "x"}
    Lead.objects.filter(pk=lead.pk).update(**floor)
    lead.refresh_from_db()
    return lead
