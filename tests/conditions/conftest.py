from datetime import UTC, datetime

import pytest

from crm.conditions.compile import Viewer
from crm.conditions.parse import parse
from crm.kit.scope import in_workspace
from tests.conditions.app.models import Person
from tests.conditions.cast import add_custom_fields, add_people, make_workspace

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def workspace(db):
    workspace = make_workspace()
    with in_workspace(workspace):
        yield workspace


@pytest.fixture
def cast(workspace):
    return add_people(workspace)


@pytest.fixture
def custom(workspace):
    add_custom_fields(workspace)


@pytest.fixture
def person(workspace):
    """Create a person from fields; tests identify them by name."""

    def make(name, **fields):
        return Person.objects.create(name=name, public_id=f"person_{Person.objects.count():09}", **fields)

    return make


@pytest.fixture
def found(workspace):
    """Return the names found by a condition, in order of creation."""

    def find(text, viewer=None, now=NOW):
        expression = parse(text, "person").expression(viewer or Viewer(), now)
        return list(Person.objects.filter(expression).order_by("pk").values_list("name", flat=True))

    return find
