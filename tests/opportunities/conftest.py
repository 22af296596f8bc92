import pytest

from crm.lifecycle.guards import install_shipped


@pytest.fixture
def guarded(acme):
    """Install acme's default guards of a new workspace."""
    install_shipped()
    return acme
