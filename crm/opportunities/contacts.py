"""The contacts of opportunities."""

from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, QuerySet

from audit.record import update_and_record
from contacts.axes import LIFECYCLE
from contacts.hooks import on_company_merge, on_merge
from contacts.models import Company, Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.lifecycle.move import force_move
from crm.opportunities.models import Opportunity, OpportunityContact
from crm.users.visibility import RecordQuerySet

PROSPECTS = ("lead", "qualified")


def lock_contacts(contacts: Iterable[int | None]) -> dict[int, Contact]:
    """Lock contacts outside the trash. As in merging, lock them before their opportunities to avoid deadlocks."""
    rows = Contact.objects.live().filter(pk__any_of=set(contacts) - {None}).order_by("pk")
    return {contact.pk: contact for contact in rows.select_for_update(of=("self",))}


def lock_contacts_of(opportunities: QuerySet) -> None:
    lock_contacts(opportunities.order_by().values_list("contact", flat=True))


def contacts_of(opportunities: Iterable[int]) -> RecordQuerySet:
    """Return the contacts, outside the trash, of opportunities given by primary key."""
    theirs = Opportunity.objects.filter(pk__any_of=list(opportunities)).order_by().values_list("contact", flat=True)
    return Contact.objects.live().filter(pk__any_of=set(theirs) - {None})


def without_open_opportunities(contacts: RecordQuerySet) -> RecordQuerySet:
    """Filter to contacts without an open opportunity, visible or not."""
    return contacts.exclude(Exists(Opportunity.objects.open().filter(contact=OuterRef("pk"))))


def win_contacts(opportunities: Collection[int], *, by: Actor, reason: str, people: Collection[int] = ()) -> None:
    """Move leads and qualified contacts of won opportunities to Customer, without guards (DESIGN 1.1).

    `people`: keys of further contacts on the opportunities. A lead is qualified in between, so that no stage is skipped
    in its history and the funnel.
    """
    won = contacts_of(opportunities)
    if people:
        further = OpportunityContact.objects.live().filter(opportunity__in=opportunities, contact__in=people)
        keys = {*won.values_list("pk", flat=True), *further.values_list("contact", flat=True)}
        won = Contact.objects.live().filter(pk__any_of=keys)
    prospects = won.filter(lifecycle_stage__in=PROSPECTS)
    leads = prospects.filter(lifecycle_stage="lead")
    force_move(leads, LIFECYCLE, "qualified", verb="qualify", event="contact.qualified", by=by, reason=reason)
    force_move(prospects, LIFECYCLE, "customer", verb="win", event="contact.won", by=by, reason=reason)


def further_prospects(opportunity: Opportunity, by: Actor) -> RecordQuerySet:
    """Return the contacts on an opportunity, besides the primary one, that `by` sees and a win could make customers."""
    people = OpportunityContact.objects.live().filter(opportunity=opportunity).values("contact")
    return Contact.objects.live().visible_to(by).filter(pk__in=people, lifecycle_stage__in=PROSPECTS)


@on_merge
def move_people(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Put the survivor on the duplicates' opportunities on merge(), once on each; undoing the merge puts them back.

    Runs after move_opportunities(), which may have made the survivor the primary contact.
    """
    rows = OpportunityContact.objects.filter(contact__in=duplicates, deleted_at__isnull=True)
    held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", "opportunity"))
    theirs = OpportunityContact.objects.filter(contact=survivor, deleted_at__isnull=True)
    taken = {*theirs.values_list("opportunity", flat=True)}
    taken |= {*Opportunity.objects.filter(contact=survivor).values_list("pk", flat=True)}
    first = {opportunity: pk for pk, opportunity in reversed(held) if opportunity not in taken}
    moved = OpportunityContact.objects.filter(pk__in=first.values())
    now_primary = theirs.filter(opportunity__contact=survivor).values_list("pk", flat=True)
    doubled = OpportunityContact.objects.filter(pk__in={pk for pk, _ in held} - {*first.values()} | {*now_primary})
    update_and_record("opportunity_contact.updated", moved, {"contact": survivor.pk}, by=by)
    update_and_record("opportunity_contact.removed", doubled, {"deleted_at": clock.now()}, by=by)


@on_merge
def move_opportunities(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move opportunities to the survivor on merge(); undoing the merge moves them back."""
    _move(Opportunity.objects.filter(contact__in=duplicates), {"contact": survivor.pk}, by)


@on_company_merge
def move_opportunities_of_companies(survivor: Company, duplicates: QuerySet, by: Actor) -> None:
    """Do the same on merge_companies()."""
    _move(Opportunity.objects.filter(company__in=duplicates), {"company": survivor.pk}, by)


def _move(rows: QuerySet, to: dict[str, int], by: Actor) -> None:
    held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    update_and_record("opportunity.updated", Opportunity.objects.filter(pk__any_of=held), to, by=by)
