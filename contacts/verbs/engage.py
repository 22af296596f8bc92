"""Record contacts' engagement."""

from collections.abc import Sequence

from django.db import transaction

from contacts.engagement import KINDS, NewEngagement, check_moment, store
from contacts.models import Contact
from crm.entities.schema import nearest
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _


@transaction.atomic
def engage(events: Sequence[NewEngagement], *, by: Actor) -> Outcome:
    """Store events (contact, kind, time), each once; `done` are the contacts with new events.

    Their open leads are rescored immediately. Recorded as `contact.engaged`. Raises Invalid for an unknown kind, a time
    more than 5 minutes ahead and a contact hidden from `by`, NotAllowed for a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t record engagement."))
    for event in events:
        _check(event)
    wanted = {event.contact for event in events}
    seen = Contact.objects.live().visible_to(by).filter(pk__any_of=sorted(wanted)).order_by("pk")
    if wanted - set(seen.select_for_update(of=("self",)).values_list("pk", flat=True)):
        raise Invalid({"contact": _("Contact not found.")})
    return Outcome(by.change, store(events, by=by))


def _check(event: NewEngagement) -> None:
    if event.kind not in KINDS:
        if near := nearest(event.kind, list(KINDS)):
            sentence = _("“{kind}” isn’t an event type. Did you mean {near}?")
        else:
            sentence = _("“{kind}” isn’t an event type. Choose one of: {kinds}.")
        raise Invalid({"kind": sentence.format(kind=event.kind, near=near, kinds=", ".join(KINDS))})
    check_moment(event.at)
