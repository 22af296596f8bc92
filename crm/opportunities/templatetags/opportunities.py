"""Template tags of opportunities."""

from django import template

from crm.kit.templatetags.frame import badge
from crm.opportunities.axes import STAGE
from crm.opportunities.models import Opportunity

register = template.Library()


@register.simple_tag
def stage_badge(opportunity: Opportunity) -> str:
    """Return the badge of an opportunity's stage."""
    stage = STAGE.value(opportunity.stage)
    return badge(stage.label, stage.tone)
