"""Add people to activities."""

from collections.abc import Collection

from django.db import transaction

from contacts.activities.last_activity import touch
from contacts.activities.participants import insert_participants, record_added, with_participants
from contacts.models import Activity, Contact, Participant
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.users.visibility import RecordQuerySet, lock


@transaction.atomic
def add_participants(activities: RecordQuerySet, contacts: Collection[Contact], *, by: Actor) -> Outcome:
    """Add contacts that `by` can see to activities; a conversation is one with them too.

    Refused: activities that already have all of them. Raises Invalid for a contact that is hidden or in the trash.
    """
    wanted = {contact.pk for contact in contacts}
    seen = Contact.objects.live().visible_to(by).filter(pk__in=wanted)
    if wanted - {*seen.values_list("pk", flat=True)}:
        raise Invalid({"contact": _("Choose a contact.")})
    locked = lock(activities, by, bring="contact")
    known: dict[int, set[int | None]] = {pk: {contact} for pk, contact in locked.read("contact").items()}
    there = Participant.objects.live().filter(activity__in=known)
    for activity, contact in there.values_list("activity", "contact"):
        known[activity].add(contact)
    new = {pk: wanted - contacts for pk, contacts in known.items() if wanted - contacts}
    locked.outcome.refuse(known.keys() - new.keys(), _("Already a participant in this activity."))
    record_added(insert_participants(new, by), by)
    touch(with_participants(Activity.objects.filter(pk__in=new)))
    locked.outcome.done = list(new)
    return locked.outcome
