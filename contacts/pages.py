"""What the pages of contacts and companies show, beside what every record's page does."""

from typing import Any
from zoneinfo import ZoneInfo

from contacts.axes import LIFECYCLE
from contacts.forms import ActivityForm
from contacts.models import Company, Contact
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.lifecycle.offers import offers
from crm.records.models import Record
from crm.records.registry import record_type
from crm.records.views.pages import on_page
from crm.users.http import Request
from crm.users.models import Membership

REPORTS, COLLEAGUES, PEOPLE = 20, 5, 50  # people shown


def contact_head(contact: Contact, by: Actor, editable: bool) -> dict[str, Any]:
    """Who it is, where they stand and why, and what can be done now."""
    return {
        "offers": offers(contact, LIFECYCLE, by=by, editable=editable),
        "stage": LIFECYCLE.value(contact.lifecycle_stage),
        "sees_lift": by.is_at_least(Role.ADMIN),
        "local_time": clock.now().astimezone(ZoneInfo(contact.timezone)) if contact.timezone else None,
    }


def contact_page(contact: Contact, by: Actor, editable: bool) -> dict[str, Any]:
    """Who reports to a contact, and its company, if the actor sees it, with some of its other people."""
    people = Contact.objects.live().visible_to(by).order_by("name_key")
    around: dict[str, Any] = {"reports": people.filter(manager=contact)[:REPORTS]}
    if Company.objects.visible_to(by).filter(pk=contact.company_id).exists():
        colleagues = people.filter(company=contact.company_id).exclude(pk=contact.pk)
        around["company"] = contact.company
        around["colleagues"] = colleagues.exclude(manager=contact)[:COLLEAGUES]
        around["headcount"] = people.filter(company=contact.company_id).count()
    return around


def company_page(company: Company, by: Actor, editable: bool) -> dict[str, Any]:
    """The people of a company."""
    people = Contact.objects.live().visible_to(by).filter(company=company).select_related("owner__user")
    return {"people": people.order_by("name_key")[:PEOPLE]}


@on_page
def composer(entity: str, record: Record, request: Request) -> dict[str, Any]:
    """The form that logs an activity, on the page of every record that tells whom it would be about."""
    if not record_type(entity).about(record):
        return {}
    near = _near(record, request.actor)
    return {"composer": ActivityForm(initial={"kind": "note", "priority": "normal"}, near=near)}


def _near(record: Record, by: Actor) -> list[Membership]:
    """The record's owner, whom a task may be for beside the one who writes it; a task's own page offers everybody."""
    return [record.owner] if record.owner and record.owner_id != by.member_id else []
