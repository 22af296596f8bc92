"""Set members' availability for leads."""

from collections.abc import Mapping

from django.db import transaction

from audit.record import record, update_and_record
from crm.kit.actor import Actor
from crm.users.models import Membership
from crm.users.roles import Right, require
from leads.assignment.models import Duty
from leads.assignment.people import in_pool


@transaction.atomic
def set_duties(duties: Mapping[int, tuple[bool, bool]], *, by: Actor) -> int:
    """Set pool and away state per member (by key). Return how many changed.

    Away members get no leads at all. Raises NotAllowed for non-admins.
    """
    require(by, Right.WORKSPACE)
    members = Membership.objects.filter(pk__in=duties).order_by("pk").select_for_update(of=("self",))
    changed = [member for member in members.select_related("duty") if _now(member) != duties[member.pk]]
    fresh = [Duty(member=m, in_pool=duties[m.pk][0], is_away=duties[m.pk][1]) for m in changed if not _duty(m)]
    Duty.objects.bulk_create(fresh)
    if fresh:
        made = Duty.objects.filter(member__in=[duty.member_id for duty in fresh])
        record("duty.created", made, by=by, snapshot=("member", "in_pool", "is_away"))
    for pooled, away in {duties[member.pk] for member in changed}:
        alike = [member.pk for member in changed if duties[member.pk] == (pooled, away)]
        update_and_record(
            "duty.updated", Duty.objects.filter(member__in=alike), {"in_pool": pooled, "is_away": away}, by=by
        )
    return len(changed)


def _duty(member: Membership) -> Duty | None:
    return getattr(member, "duty", None)


def _now(member: Membership) -> tuple[bool, bool]:
    duty = _duty(member)
    return in_pool(member.role, duty.in_pool if duty else None), bool(duty and duty.is_away)
