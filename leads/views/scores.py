"""The page that explains a lead's score."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.users.http import Request
from leads.axes import BY_SCORE, STAGE
from leads.models import Lead
from leads.scoring.charts import line
from leads.scoring.explain import AHEAD, explain


@require_GET
def lead_score(request: Request, public_id: str) -> HttpResponse:
    """Show a score's criteria and events, its decay without new events, and ways to raise it."""
    lead = Lead.objects.visible_to(request.actor).select_related("contact").filter(public_id=public_id).first()
    if lead is None:
        raise Http404
    context: dict = {"lead": lead, "stage": STAGE.value(lead.stage), "told": explain(lead), "days": AHEAD}
    if told := context["told"]:
        low, high = told.model.rules.thresholds
        ahead = told.ahead()
        names = [STAGE.value(value).label for value in BY_SCORE[1:]]
        context |= {"line": line(ahead, list(zip(names, (low, high), strict=True))), "ways": told.ways()}
        context["table"] = [(day, ahead[day] / 10) for day in range(0, AHEAD + 1, 10)]
        context["falls"] = next((day for day, tenths in enumerate(ahead) if tenths < _floor(ahead[0], low, high)), None)
        context |= {"points": {key: getattr(told, key) / 10 for key in ("tenths", "target", "most")}}
        context["points"]["stored"] = told.score.score_tenths / 10
        context["half_life"] = round(told.model.half_life / 86400)
        context["highest"] = told.model.rules.most / 10
        context["weighted"] = {
            "fit": told.fit * told.model.rules.fit_weight / 10,
            "engagement": told.engagement * told.model.rules.engagement_weight / 10,
            "fit_weight": told.model.rules.fit_weight / 10,
            "engagement_weight": told.model.rules.engagement_weight / 10,
        }
    return render(request, "leads/score.html", context)


def _floor(tenths: int, low: int, high: int) -> int:
    """Return the threshold that a score has reached, 0 for none."""
    return high if tenths >= high else low if tenths >= low else 0
