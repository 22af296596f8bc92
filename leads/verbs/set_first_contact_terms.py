"""Set the first-contact SLA."""

from collections.abc import Sequence

from django.db import transaction

from audit.record import record, update_and_record
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require
from leads.assignment.models import FirstContactTerms

KEPT = ("hours", "in_business_hours", "days", "opens", "closes")
MOST = 24 * 30  # hours


@transaction.atomic
def set_first_contact_terms(
    *, hours: int, in_business_hours: bool, days: Sequence[int], opens: int, closes: int, by: Actor
) -> FirstContactTerms:
    """Set the hours, optionally as business hours: local `days` (Monday is 0), `opens` to `closes` in minutes since
    midnight.

    Open leads keep their deadlines. Raises NotAllowed for non-admins, and Invalid per field.
    """
    require(by, Right.WORKSPACE)
    _check(hours, in_business_hours, days, opens, closes)
    values = {"hours": hours, "in_business_hours": in_business_hours, "days": sorted(set(days))}
    values |= {"opens": opens, "closes": closes}
    agreed, is_new = FirstContactTerms.objects.get_or_create(workspace_id=by.workspace_id, defaults=values)
    rows = FirstContactTerms.objects.filter(pk=agreed.pk)
    if is_new:
        record("first_contact_terms.created", rows, by=by, snapshot=KEPT)
    else:
        update_and_record("first_contact_terms.updated", rows, values, by=by)
    return rows.get()


def _check(hours: int, in_business_hours: bool, days: Sequence[int], opens: int, closes: int) -> None:
    errors = {}
    if not 1 <= hours <= MOST:
        errors["hours"] = _("Enter 1 to {most} hours.").format(most=formats.number(MOST))
    if not set(days) <= set(range(7)) or (in_business_hours and not days):
        errors["days"] = _("Choose at least one working day.")
    if not 0 <= opens < closes <= 24 * 60:
        errors["closes"] = _("End time must be after start time.")
    if errors:
        raise Invalid(errors)
