"""Campaigns with their figures, and the recipients of one, limited to visible contacts."""

import re
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Count, Q, QuerySet

from crm.campaigns.models import Campaign, CampaignPerson
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _

PAGE = 50
State = CampaignPerson.State
FIGURES: dict[str, Q] = {
    "people": Q(),
    "waiting": Q(state=State.WAITING),
    "sent": Q(sent_at__isnull=False),
    "left_out": Q(state=State.LEFT_OUT),
    "failed": Q(state=State.FAILED),
    "unsubscribed": Q(state=State.UNSUBSCRIBED),
}
NOTHING = dict.fromkeys(FIGURES, 0)


def figures(campaigns: list[int], by: Actor) -> dict[int, dict[str, int]]:
    """Map each campaign's key to its recipient counts by state, for contacts visible to `by`."""
    people = CampaignPerson.objects.filter(campaign__in=campaigns).visible_to(by)
    counts: dict[str, Any] = {name: Count("pk", filter=which) for name, which in FIGURES.items()}
    rows = people.order_by().values("campaign").annotate(**counts)
    return {row.pop("campaign"): row for row in rows}


def page_of_campaigns(by: Actor, before: str) -> tuple[list[tuple[Campaign, dict[str, int]]], str]:
    """Return a page of campaigns, newest first, with figures, and the cursor of the next page."""
    rows = Campaign.objects.select_related("owner__user").order_by("-pk")
    if before:
        rows = rows.filter(pk__lt=_key(before))
    found = list(rows[: PAGE + 1])
    counted = figures([campaign.pk for campaign in found[:PAGE]], by)
    shown = [(campaign, counted.get(campaign.pk, NOTHING)) for campaign in found[:PAGE]]
    return shown, str(found[PAGE - 1].pk) if len(found) > PAGE else ""


def people_of(campaign: Campaign, by: Actor, state: str) -> QuerySet[CampaignPerson]:
    """Return a campaign's recipients, all or of one of FIGURES, in order of addition."""
    people = CampaignPerson.objects.filter(FIGURES.get(state, Q()), campaign=campaign).visible_to(by)
    return people.select_related("contact").order_by("pk")


def page_of_people(people: QuerySet[CampaignPerson], after: str) -> tuple[list[CampaignPerson], str]:
    if after:
        people = people.filter(pk__gt=_key(after))
    found = list(people[: PAGE + 1])
    return found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else ""


def _key(cursor: str) -> int:
    """Parse a cursor to a primary key. Raises BadRequest if it was tampered with."""
    if not re.fullmatch("[0-9]{1,18}", cursor):
        raise BadRequest(_("This page link isn’t valid."))
    return int(cursor)
