"""What contradicts the rules about opportunities."""

from django.db.models import F, QuerySet, Value

from crm.anomalies.detect import register
from crm.anomalies.kinds import AnomalyKind
from crm.opportunities.models import Opportunity


def opportunities_lost_unexplained() -> QuerySet[Opportunity]:
    """Opportunities whose loss nobody gave a reason for."""
    return Opportunity.objects.live().filter(stage="lost", lost_reason="")


ANOMALIES = (
    AnomalyKind(
        name="opportunity_lost_unexplained",
        label="Opportunity lost without a reason",
        entity="opportunity",
        rows=opportunities_lost_unexplained,
        since=lambda: F("lost_at"),
        evidence=lambda: Value("It was marked as lost, and nobody said why"),
        help="Open",
        url=Opportunity.get_absolute_url,
        looked_at={"opportunity.lost": "", "opportunity.reopened": ""},
    ),
)

for kind in ANOMALIES:
    register(kind)
