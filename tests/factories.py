"""Records made through the verbs, so that every one has its entry, its event and its first transitions."""

from datetime import timedelta
from itertools import count

from contacts.engagement import NewEngagement
from contacts.models import Activity, Company, Contact
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from contacts.verbs.engage import engage
from contacts.verbs.log import log
from contacts.verbs.override import override
from crm.entities.models import CustomField
from crm.entities.verbs.save_custom_field import save_custom_field
from crm.kit import clock
from crm.kit.actor import Actor, Channel, Role
from crm.opportunities.models import Opportunity
from crm.opportunities.moves import move_to
from crm.opportunities.verbs.create import create as open_opportunity
from crm.users.models import Membership

_numbers = count(1)


def manager() -> Actor:
    """A manager of the workspace in scope, about to act: whoever makes records that are to belong to others."""
    return Membership.objects.filter(role=Role.MANAGER).first().actor(Channel.WEB)


def make_contact(name: str = "", *, stage: str = "lead", by: Actor | None = None, **values) -> Contact:
    """A contact with an e-mail, owned by nobody unless `owner` says so; at `stage` by way of an override."""
    number = next(_numbers)
    facts = {"name": name or f"Person {number}", "email": f"person{number}@example.com", "owner": None} | values
    made = create([facts], by=by or manager())
    rows = Contact.objects.filter(pk=made.done[0])
    if stage != "lead":
        override(rows, to=stage, by=manager(), reason="for the test")
    return rows.get()


def make_worthy(contact: Contact) -> Contact:
    """Have a contact ask for so many demos that their lead scores the 40 points that qualifying takes."""
    now = clock.now()
    engage([NewEngagement(contact.pk, "demo_request", now - timedelta(seconds=n)) for n in range(3)], by=manager())
    return contact


def make_company(name: str = "", *, by: Actor | None = None, **values) -> Company:
    """A company, owned by nobody unless `owner` says so."""
    facts = {"name": name or f"Company {next(_numbers)}", "owner": None} | values
    return Company.objects.get(pk=create_company([facts], by=by or manager()).done[0])


def make_activity(subject: str = "Call", *, by: Actor | None = None, **values) -> Activity:
    """An activity; `contact` or `company` says whose."""
    facts = {"kind": "call", "subject": subject} | values
    if facts["kind"] == "call" and not {"due_at", "status"} & facts.keys():
        facts.setdefault("outcome", "connected")
    return Activity.objects.get(pk=log([facts], by=by or manager()).done[0])


def make_opportunity(name: str = "", *, stage: str = "prospecting", by: Actor | None = None, **values) -> Opportunity:
    """An opportunity of a new contact unless `contact` says whose, owned by nobody unless `owner` says so."""
    contact = values.pop("contact", None) or make_contact()
    facts = {"name": name or f"Deal {next(_numbers)}", "contact": contact, "owner": None} | values
    made = open_opportunity([facts], by=by or manager())
    opportunities = Opportunity.objects.filter(pk=made.done[0])
    if stage != "prospecting":
        move_to(opportunities, to=stage, by=manager(), reason="for the test")
    return opportunities.get()


def rows(*records):
    """The records as the queryset that verbs take."""
    return type(records[0]).objects.filter(pk__in=[record.pk for record in records])


def make_field(key: str, type: str, label: str = "", *, entity: str = "contact", **attributes):
    """A custom field of the workspace in scope."""
    field = CustomField(entity=entity, key=key, type=type, label=label or key.replace("_", " ").title(), **attributes)
    admin = Membership.objects.filter(role=Role.ADMIN).first().actor(Channel.ADMIN)
    return save_custom_field(field, by=admin)
