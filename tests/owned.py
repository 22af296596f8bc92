"""Contacts of the cast, for tests of rights."""

import pytest

from tests.factories import make_contact


@pytest.fixture
def team_contact(acme, cast):
    """Return the rep's contact in team Iberia: hidden from outsider and viewer."""
    return make_contact("Ana Ruiz", owner=cast.rep, team=cast.iberia)


@pytest.fixture
def open_contact(acme, cast):
    """Return the rep's contact without a team: visible to all, editable by rep and managers."""
    return make_contact("Tomás Ortega", owner=cast.rep)
