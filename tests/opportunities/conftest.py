import pytest

from crm.lifecycle.guards import install_shipped


@pytest.fixture
def guarded(acme):
    """acme with the default guards of a new workspace."""
    install_shipped()
    return acme
