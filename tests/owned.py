"""Contacts of the cast, for the tests that ask who may do what."""

import pytest

from tests.factories import make_contact


@pytest.fixture
def team_contact(acme, cast):
    """The rep's, of the team Iberia: not seen by outsider and viewer."""
    return make_contact("Ana Ruiz", owner=cast.rep, team=cast.iberia)


@pytest.fixture
def open_contact(acme, cast):
    """The rep's, of no team: everybody sees it, the rep and managers change it."""
    return make_contact("Tomás Ortega", owner=cast.rep)
