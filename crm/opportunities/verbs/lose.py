"""Mark opportunities as lost, and decide on contacts without other open ones."""

from django.db import transaction

from contacts.verbs.churn import churn
from contacts.verbs.lose import lose as lose_contacts
from contacts.verbs.partner import partner
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.opportunities.contacts import contacts_of, lock_contacts_of, without_open_opportunities
from crm.opportunities.models import StageKind
from crm.opportunities.stage_moves import move_stages
from crm.users.visibility import RecordQuerySet

ANSWERS = {"lose": lose_contacts, "churn": churn, "partner": partner}  # verbs of the contact's lifecycle


@transaction.atomic
def lose(opportunities: RecordQuerySet, *, by: Actor, reason: str = "", to: str = "", contacts: str = "") -> Outcome:
    """Move open opportunities to the lost stage `to`, or the first of each one's pipeline, with the reason.

    `contacts` decides on contacts without an open opportunity: '' keeps their stage, "lose", "churn" and "partner" move
    them by that verb, with its guards, rights and the same reason. Raises Invalid for another word or a stage that is
    not lost; Refused, changing nothing, if a contact cannot be moved.
    """
    if contacts and contacts not in ANSWERS:
        sentence = _("Leave this empty to keep the contacts’ stage, or choose one of: {answers}.")
        raise Invalid({"contacts": sentence.format(answers=", ".join(ANSWERS))})
    lock_contacts_of(opportunities)
    also = {"lost_at": clock.now(), "lost_reason": reason.strip()}
    outcome = move_stages(opportunities, "lose", StageKind.LOST, by=by, to=to, reason=reason, also=also)
    if contacts and outcome.done:
        left = without_open_opportunities(contacts_of(outcome.done))
        ANSWERS[contacts](left, by=by, reason=reason).or_raise()
    return outcome
