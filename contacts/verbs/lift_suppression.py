"""Lift the suppression of contacts' addresses."""

from django.db import transaction
from django.db.models import Q

from contacts.models import Suppression
from contacts.suppression import SHOWN, lift_reasons, suppressed_status
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def lift_suppression(contacts: RecordQuerySet, *, by: Actor, reason: str) -> Outcome:
    """Remove every suppression of the contacts' addresses and set their status to Active.

    Refused: contacts without one. Raises NotAllowed below an admin, Invalid without a reason.
    """
    if not by.is_at_least(Role.ADMIN):
        raise NotAllowed(_("Only admins can lift a suppression."))
    if not reason.strip():
        raise Invalid({"reason": _("Enter a reason, e.g. “Asked for email again”.")})
    locked = lock(contacts, by)
    for rows in locked.batches():
        free = rows.annotate(shown=suppressed_status()).exclude(Q(status__in=SHOWN) | Q(shown__isnull=False))
        locked.outcome.refuse(free.values_list("pk", flat=True), _("This contact isn’t suppressed."))
    for rows in locked.batches():
        locked.outcome.done += rows.values_list("pk", flat=True)
        lift_reasons(rows, Suppression.Reason.values, by=by, note=reason.strip())
    return locked.outcome
