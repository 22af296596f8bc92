import pytest

from contacts.models import Company, Contact
from contacts.verbs.create import create
from contacts.verbs.create_company import create_company
from crm.entities.versions import bump_schema
from crm.lifecycle.guards import install_shipped


@pytest.fixture(autouse=True)
def guards(acme):
    """Install the default guards of new workspaces, without caches of other tests' workspaces."""
    install_shipped()
    bump_schema()


@pytest.fixture
def add(acme, actor):
    """`add("Ann Ruiz", email=…, by="rep")` creates a contact through the verb."""

    def added(name, by="rep", **values) -> Contact:
        made = create([{"name": name} | values], by=actor(by))
        return Contact.objects.get(pk=made.done[0])

    return added


@pytest.fixture
def fleetly(acme, actor) -> Company:
    """Return a company of the rep's."""
    made = create_company([{"name": "Fleetly", "city": "Madrid", "industry": "logistics"}], by=actor("rep"))
    return Company.objects.get(pk=made.done[0])
