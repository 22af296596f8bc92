"""Segments: the workspace's contact views, built in or shared.

Why: docs/decisions/0022-segments-are-workspace-views.md
"""

from dataclasses import dataclass

from crm.conditions.condition import Condition
from crm.conditions.errors import ConditionError
from crm.conditions.parse import parse
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.lists.models import SavedView
from crm.lists.spec import spec_of


@dataclass(frozen=True)
class Segment:
    """A dynamic group: all contacts that match the condition when it is evaluated."""

    slug: str
    name: str
    condition: Condition


def segments() -> dict[str, Segment]:
    """Return the workspace's segments by slug, in order of name.

    Without members' own views and views that use `me`: a segment is the same for all members (DESIGN 1.6).
    """
    found = [_segment(slug, name, condition) for slug, (name, condition) in _views().items()]
    return {segment.slug: segment for segment in sorted(filter(None, found), key=lambda each: each.name)}


def segment_of(slug: str) -> Segment:
    """Return the segment called `slug`. Raises Refused with a message if it is no segment or no longer one."""
    name, condition = _views().get(slug, ("", ""))
    if not name:
        raise Refused(_("This campaign’s view was deleted. Choose another view."))
    try:
        return Segment(slug, name, parse(condition, "contact", people=False))
    except ConditionError as error:
        sentence = _("The view “{name}” can’t be used as a segment. {problem}")
        raise Refused(sentence.format(name=name, problem=error)) from None


def _views() -> dict[str, tuple[str, str]]:
    views = {view.slug: (str(view.name), view.condition) for view in spec_of("contact").views}
    saved = SavedView.objects.filter(entity="contact", member__isnull=True)
    return views | {slug: (name, text) for slug, name, text in saved.values_list("slug", "name", "condition")}


def _segment(slug: str, name: str, condition: str) -> Segment | None:
    try:
        return Segment(slug, name, parse(condition, "contact", people=False))
    except ConditionError:
        return None
