import pytest

from tests.security import world as worlds


@pytest.fixture
def world(cast, settings, tmp_path):
    """Both workspaces full of marked rows: own, hidden, theirs."""
    settings.MEDIA_ROOT = tmp_path
    return worlds.build(cast)
