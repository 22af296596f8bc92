"""Mark opportunities, and their contacts, as won."""

from collections.abc import Collection

from django.db import transaction

from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.opportunities.contacts import lock_contacts_of, win_contacts
from crm.opportunities.models import Opportunity, StageKind
from crm.opportunities.stage_moves import move_stages
from crm.users.visibility import RecordQuerySet


@transaction.atomic
def win(
    opportunities: RecordQuerySet, *, by: Actor, reason: str = "", to: str = "", people: Collection[int] = ()
) -> Outcome:
    """Move open opportunities to Won, and their contacts from Lead or Qualified to Customer, without guards.

    `to`: the won stage; '' for the first of each one's pipeline. `people`: keys of further contacts on them that become
    customers too. Contacts are won whatever their owner: a purchase is a fact, not a matter of rights (DESIGN 1.1).
    Raises Invalid if `to` is no won stage.
    """
    lock_contacts_of(opportunities)
    also = {"won_at": clock.now()}
    outcome = move_stages(opportunities, "win", StageKind.WON, by=by, to=to, reason=reason, also=also)
    names = list(Opportunity.objects.filter(pk__in=outcome.done[:2]).values_list("name", flat=True))
    win_contacts(outcome.done, by=by, reason=names[0] if len(names) == 1 else reason, people=people)
    return outcome
