import pytest

from crm.lifecycle.guards import install_shipped


@pytest.fixture
def guarded(acme):
    """acme with the guards that a new workspace starts with."""
    install_shipped()
    return acme
