"""Mentions in activities, and which mentioned members can read them."""

from collections.abc import Sequence

from contacts.models import Activity
from crm.entities.mentions import mentioned
from crm.kit.actor import Channel
from crm.users.models import Membership
from crm.users.visibility import may_see


def readers(activities: Sequence[Activity]) -> list[tuple[list[Membership], list[Membership]]]:
    """Return, per activity, the mentioned members who can see its record, and those who can't (or left).

    Activities come with contact and company; mentions cost two more statements.
    """
    texts = [f"{activity.subject}\n{activity.body}" for activity in activities]
    return [_parted(activity, people) for activity, people in zip(activities, mentioned(texts), strict=True)]


def _parted(activity: Activity, people: list[Membership]) -> tuple[list[Membership], list[Membership]]:
    seeing = [m for m in people if m.is_active and may_see(activity.about, m.actor(Channel.SYSTEM))]
    return seeing, [member for member in people if member not in seeing]
