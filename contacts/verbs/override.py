"""Override the stage, bypassing the table of moves."""

from django.db import transaction

from contacts.axes import LIFECYCLE
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.lifecycle.move import move
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def override(contacts: RecordQuerySet, *, to: str, by: Actor, reason: str = "") -> Outcome:
    """Move contacts to any stage `to`, without guards; for managers, with a reason, recorded as a warning."""
    if to not in {choice.value for choice in LIFECYCLE.values}:
        raise Invalid({"to": _("“{stage}” isn’t a lifecycle stage.").format(stage=to)})
    return move(lock(contacts, by, bring=LIFECYCLE.field), LIFECYCLE, "override", by=by, to=to, reason=reason)
