"""The contacts of opportunities."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from audit.record import update_and_record
from contacts.axes import LIFECYCLE
from contacts.hooks import on_company_merge, on_merge
from contacts.models import Company, Contact
from crm.kit.actor import Actor
from crm.lifecycle.move import force_move
from crm.opportunities.models import Opportunity
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


def win_contacts(opportunities: Iterable[int], *, by: Actor, reason: str) -> None:
    """Move leads and qualified contacts of won opportunities to Customer, without guards (DESIGN 1.1).

    A lead is qualified in between, so that no stage is skipped in its history and the funnel.
    """
    prospects = contacts_of(opportunities).filter(lifecycle_stage__in=PROSPECTS)
    leads = prospects.filter(lifecycle_stage="lead")
    force_move(leads, LIFECYCLE, "qualified", verb="qualify", event="contact.qualified", by=by, reason=reason)
    force_move(prospects, LIFECYCLE, "customer", verb="win", event="contact.won", by=by, reason=reason)


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
