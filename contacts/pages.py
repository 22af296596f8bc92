"""Contact and company pages, beyond the common record page."""

from dataclasses import replace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet
from django.utils.safestring import SafeString, mark_safe

from contacts import addresses
from contacts.address_fields import TYPES
from contacts.axes import LIFECYCLE
from contacts.family import family
from contacts.forms import ActivityForm
from contacts.hooks import opportunities_for
from contacts.models import Company, Contact
from contacts.rollup import activities_of, last_contact, next_step
from crm.entities.addresses import address_html
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.addresses import Address
from crm.kit.compiled_queries import run_cached
from crm.kit.scope import workspace_id
from crm.lifecycle.offers import offers
from crm.records.models import Record
from crm.records.registry import RECORD_TYPES
from crm.records.views.pages import on_page
from crm.users.http import Request
from crm.users.models import Membership
from crm.users.visibility import may_edit, may_see

REPORTS, COLLEAGUES, PEOPLE = 20, 5, 50  # people listed


def contact_header_context(contact: Contact, by: Actor, editable: bool) -> dict[str, Any]:
    """Return identity, stage with reason, and available moves."""
    return {
        "offers": offers(contact, LIFECYCLE, by=by, editable=editable),
        "stage": LIFECYCLE.value(contact.lifecycle_stage),
        "sees_lift": by.is_at_least(Role.ADMIN),
        "local_time": clock.now().astimezone(ZoneInfo(contact.timezone)) if contact.timezone else None,
    }


class Person(NamedTuple):
    """A person related to a contact."""

    name: str
    public_id: str
    title: str

    def get_absolute_url(self) -> str:
        return f"/contact/{self.public_id}"


class ShownAddress(NamedTuple):
    """An email or phone of a contact, as a link.

    `place`: "first" of its kind, in another field of its "own", or in a "list".
    """

    kind: str
    value: str
    html: SafeString
    place: str


def shown_addresses(contact: Contact) -> list[ShownAddress]:
    """Return a contact's emails and phones in order; none if there are only those in fields of their own."""
    if not (contact.other_emails or contact.other_phones):
        return []
    shown: list[ShownAddress] = []
    for kind, position, _key, value, label in contact.address_rows:
        html = mark_safe(address_html(Address(value, label), TYPES[kind]))  # noqa: S308 (it escapes)
        others = {addresses.EMAIL: 1, addresses.PHONE: 2}[kind]  # the first position in the list of others
        is_first = not any(each.kind == kind for each in shown)
        shown.append(ShownAddress(kind, value, html, "first" if is_first else "own" if position < others else "list"))
    return shown


def contact_page(contact: Contact, by: Actor, editable: bool) -> dict[str, Any]:
    """Return a contact's addresses, reports, and its company with other contacts there, as far as visible."""
    around: dict[str, Any] = {"addresses": shown_addresses(contact)}
    around["reports"] = _people(by, REPORTS, manager=contact.pk)
    if contact.company and may_see(contact.company, by):
        colleagues = _people(by, COLLEAGUES, company=contact.company_id, but=contact.pk)
        around |= {
            "company": contact.company,
            "colleagues": colleagues,
            "headcount": _headcount(by, contact.company_id),
        }
    return around


def _people(by: Actor, most: int, but: int = 0, **link: Any) -> list[Person]:
    """Return the first contacts by name with the same link, without a contact and its reports."""

    def build(member: int | None, team: int | None, but: Any, value: Any) -> QuerySet:
        people = Contact.objects.live().visible_to(replace(by, member_id=member, team_id=team)).order_by("name_key")
        people = people.filter(**{name: value}).exclude(pk=but)
        people = people.exclude(manager=but) if name != "manager" else people
        return people.values_list(*Person._fields)[:most]

    [(name, value)] = link.items()
    key = ("people", workspace_id(), by.role, name)
    return [Person(*row) for row in run_cached(key, build, member=by.member_id, team=by.team_id, but=but, value=value)]


def _headcount(by: Actor, company: int | None) -> int:
    def build(member: int | None, team: int | None, company: Any) -> QuerySet:
        people = Contact.objects.live().visible_to(replace(by, member_id=member, team_id=team)).filter(company=company)
        return people.order_by().values("company").annotate(count=Count("pk")).values_list("count")

    rows = run_cached(
        ("headcount", workspace_id(), by.role), build, member=by.member_id, team=by.team_id, company=company
    )
    return rows[0][0] if rows else 0


def company_page(company: Company, by: Actor, editable: bool) -> dict[str, Any]:
    """Return a company's people, family, last contact and its owner's next step, as far as visible to the actor."""
    people = Contact.objects.live().visible_to(by).filter(company=company).select_related("owner__user")
    about = activities_of(company, by)
    return {
        "people": people.order_by("name_key")[:PEOPLE],
        "family": family(company, by),
        "next_step": next_step(company, about),
        "last_contact": last_contact(about),
    }


@on_page
def activity_form_context(entity: str, record: Record, request: Request) -> dict[str, Any]:
    """Return the activity form, for pages of records that an activity can be about."""
    about = RECORD_TYPES[entity].about
    if not (about and about(record)):
        return {}
    by = request.actor
    offered = opportunities_for(record, by) if may_edit(record, by) else ()
    initial = {"kind": "note", "priority": "normal", "reminder": "0"}
    return {"composer": ActivityForm(initial=initial, near=_near(record, by), opportunities=offered)}


def _near(record: Record, by: Actor) -> list[Membership]:
    """Return the record's owner as possible assignee beside the author; a task's own page offers all members."""
    return [record.owner] if record.owner and record.owner_id != by.member_id else []
