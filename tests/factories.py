"""Records made through the verbs, so that each has its entry, event and first transitions."""

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
    """Return a manager of the workspace in scope as an actor, to create records for others."""
    return Membership.objects.filter(role=Role.MANAGER).first().actor(Channel.WEB)


def make_contact(name: str = "", *, stage: str = "lead", by: Actor | None = None, **values) -> Contact:
    """Create a contact with an email, unassigned without `owner`; `stage` is set by an override."""
    number = next(_numbers)
    facts = {"name": name or f"Person {number}", "email": f"person{number}@example.com", "owner": None} | values
    made = create([facts], by=by or manager())
    rows = Contact.objects.filter(pk=made.done[0])
    if stage != "lead":
        override(rows, to=stage, by=manager(), reason="for the test")
    return rows.get()


def make_worthy(contact: Contact) -> Contact:
    """Give a contact the demo requests for the 40 points required to qualify."""
    now = clock.now()
    engage([NewEngagement(contact.pk, "demo_request", now - timedelta(seconds=n)) for n in range(3)], by=manager())
    return contact


def make_company(name: str = "", *, by: Actor | None = None, **values) -> Company:
    """Create a company, unassigned without `owner`."""
    facts = {"name": name or f"Company {next(_numbers)}", "owner": None} | values
    return Company.objects.get(pk=create_company([facts], by=by or manager()).done[0])


def make_activity(subject: str = "Call", *, by: Actor | None = None, **values) -> Activity:
    """Create an activity of a `contact` or `company`."""
    facts = {"kind": "call", "subject": subject} | values
    if facts["kind"] == "call" and not {"due_at", "status"} & facts.keys():
        facts.setdefault("outcome", "connected")
    return Activity.objects.get(pk=log([facts], by=by or manager()).done[0])


def make_opportunity(name: str = "", *, stage: str = "prospecting", by: Actor | None = None, **values) -> Opportunity:
    """Create an opportunity, by default (`contact`, `owner`) of a new contact and unassigned."""
    contact = values.pop("contact", None) or make_contact()
    facts = {"name": name or f"Deal {next(_numbers)}", "contact": contact, "owner": None} | values
    made = open_opportunity([facts], by=by or manager())
    opportunities = Opportunity.objects.filter(pk=made.done[0])
    if stage != "prospecting":
        move_to(opportunities, to=stage, by=manager(), reason="for the test")
    return opportunities.get()


def rows(*records):
    """Return the records as a queryset for verbs."""
    return type(records[0]).objects.filter(pk__in=[record.pk for record in records])


def make_field(key: str, type: str, label: str = "", *, entity: str = "contact", **attributes):
    """Create a custom field in the workspace in scope."""
    field = CustomField(entity=entity, key=key, type=type, label=label or key.replace("_", " ").title(), **attributes)
    admin = Membership.objects.filter(role=Role.ADMIN).first().actor(Channel.ADMIN)
    return save_custom_field(field, by=admin)
