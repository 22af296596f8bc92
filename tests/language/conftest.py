"""The rows of the isolation matrix, and members who use the pseudo-language."""

import pytest

from crm.users.models import User, Workspace
from tests.language.pseudo import CODE, pseudo_language
from tests.security.conftest import shared_world, world

__all__ = ["shared_world", "world"]


@pytest.fixture
def pseudo(world, settings):
    """Set the language of members and workspaces during the test."""
    User.objects.update(language=CODE)
    Workspace.objects.update(language=CODE)
    settings.DATE_FORMAT = settings.DATETIME_FORMAT = settings.TIME_FORMAT = (
        r"\b\a\r\e \d\a\t\e"  # instead of |day or |moment
    )
    with pseudo_language(settings):
        yield
