"""Exceptions about opportunities."""

from django.db.models import F, QuerySet, Value

from crm.anomalies.detect import register
from crm.anomalies.kinds import AnomalyKind
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.opportunities.models import Opportunity, StageKind


def opportunities_lost_unexplained() -> QuerySet[Opportunity]:
    """Return lost opportunities without a reason."""
    return Opportunity.objects.live().filter(stage_kind=StageKind.LOST, lost_reason="")


ANOMALIES = (
    AnomalyKind(
        name="opportunity_lost_unexplained",
        label=_("Opportunity lost without a reason"),
        entity="opportunity",
        rows=opportunities_lost_unexplained,
        since=lambda: F("lost_at"),
        evidence=lambda: Value(gettext("Marked as lost without a reason")),
        help=_("View opportunity"),
        url=Opportunity.get_absolute_url,
        looked_at={"opportunity.lost": "", "opportunity.reopened": ""},
    ),
)

for kind in ANOMALIES:
    register(kind)
