"""Campaign panel: attributed leads and their results."""

from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from crm.campaigns.attribution import WITHIN
from crm.campaigns.models import Campaign, CampaignPerson
from crm.conditions.write import quoted
from crm.kit.actor import Actor
from crm.opportunities.models import Opportunity
from crm.records.panels import register
from crm.users.http import Request
from leads.models import Lead


def brought(campaign: Campaign, by: Actor) -> QuerySet[Lead]:
    """Return the leads visible to `by` that are attributed to a campaign and were created soon after its email."""
    mailed = CampaignPerson.objects.filter(campaign=campaign, contact=OuterRef("contact"))
    soon = mailed.filter(sent_at__lte=OuterRef("created_at"), sent_at__gt=OuterRef("created_at") - WITHIN)
    return Lead.objects.live().visible_to(by).filter(Exists(soon), campaign=campaign.name)


def campaign_panel(campaign: Any, request: Request) -> SafeString:
    """Return attributed leads, the opportunities they became, and the amount won."""
    leads = brought(campaign, request.actor)
    deals = Opportunity.objects.live().visible_to(request.actor).filter(pk__in=leads.values("opportunity"))
    won = {"won": Count("pk", filter=Q(stage_kind="won")), "amount": Sum("amount", filter=Q(stage_kind="won"))}
    rows = list(deals.order_by("currency").values(code=F("currency")).annotate(count=Count("pk"), **won))
    context: dict[str, Any] = {"campaign": campaign, "leads": leads.count(), "days": WITHIN.days}
    context["opportunities"] = sum(row["count"] for row in rows)
    context["won"] = sum(row["won"] for row in rows)
    context["amounts"] = [(row["amount"], row["code"]) for row in rows if row["amount"]]
    context["query"] = urlencode({"view": "all", "where": f"campaign = {quoted(campaign.name)}"})
    return render_to_string("leads/campaign_panel.html", context, request)


register("campaign", campaign_panel)
