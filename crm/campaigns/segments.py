"""Segments: the views of contacts that the workspace has, built in or saved for everybody."""

from dataclasses import dataclass

from crm.campaigns.models import Campaign
from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.errors import Refused
from crm.lists.models import SavedView
from crm.lists.spec import spec_of


@dataclass(frozen=True)
class Segment:
    """A named group of contacts: whoever meets the condition at the moment that it is asked."""

    slug: str
    name: str
    condition: Condition


def segments() -> dict[str, Segment]:
    """The segments of the workspace by slug, in order of name.

    Not a member's own views, nor those that ask for `me`: a segment is the same for everybody (DESIGN 1.6).
    """
    found = {slug: _segment(slug, name, condition) for slug, (name, condition) in _views().items()}
    return {segment.slug: segment for segment in sorted(filter(None, found.values()), key=lambda each: each.name)}


def segment_of(slug: str) -> Segment:
    """The segment called `slug`. Raises Refused with a sentence for one that is no segment, or is none any more."""
    name, condition = _views().get(slug, ("", ""))
    segment = _segment(slug, name, condition) if name else None
    if segment is None:
        raise Refused(
            "The view that this campaign is for is gone, or asks for “me”: choose another view of the workspace."
        )
    return segment


def used_by_campaigns(entity: str, slug: str) -> str:
    """Why a view may not be deleted: a campaign that is not over goes by it. '' for one that may."""
    using = Campaign.objects.filter(segment=slug, status__in=Campaign.OPEN) if entity == "contact" else None
    campaign = using.order_by("pk").first() if using is not None else None
    if campaign is None:
        return ""
    return f"The campaign “{campaign}” goes by this view: cancel it or give it another segment first."


def _views() -> dict[str, tuple[str, str]]:
    views = {view.slug: (view.name, view.condition) for view in spec_of("contact").views}
    saved = SavedView.objects.filter(entity="contact", member__isnull=True)
    return views | {slug: (name, text) for slug, name, text in saved.values_list("slug", "name", "condition")}


def _segment(slug: str, name: str, condition: str) -> Segment | None:
    try:
        return Segment(slug, name, parse(condition, "contact", people=False))
    except ConditionError:
        return None
