import pytest

from contacts.models import Company, Contact
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from crm.entities.versions import bump_schema
from crm.lifecycle.guards import install_shipped


@pytest.fixture(autouse=True)
def guards(acme):
    """The guards that a workspace starts with; what was compiled for another test's workspace is not used for it."""
    install_shipped()
    bump_schema()


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
