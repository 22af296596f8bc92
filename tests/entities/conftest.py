import pytest

from crm.kit.scope import in_workspace
from tests.conditions.cast import add_custom_fields, add_people, make_workspace


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
