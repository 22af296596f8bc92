import pytest

from crm.lifecycle.guards import install_shipped
from tests.owned import open_contact, team_contact

__all__ = ["open_contact", "team_contact"]


@pytest.fixture
def guarded(acme):
    """Install acme's default guards of a new workspace."""
    install_shipped()
    return acme
