import pytest

from contacts.models import Company, Contact
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company


@pytest.fixture
def add(acme, actor):
    """`add("Ann Ruiz", email=…, by="rep")`: a contact, made through the verb."""

    def added(name, by="rep", **values) -> Contact:
        made = create([{"name": name} | values], by=actor(by))
        return Contact.objects.get(pk=made.done[0])

    return added


@pytest.fixture
def fleetly(acme, actor) -> Company:
    """A company of the rep's."""
    made = create_company([{"name": "Fleetly", "city": "Madrid", "industry": "logistics"}], by=actor("rep"))
    return Company.objects.get(pk=made.done[0])
