"""Both workspaces with marked rows, written once for consecutive tests."""

import tempfile

import pytest
from django.test import override_settings

from tests.security import world as worlds
from tests.shared import share

UPLOADS = tempfile.TemporaryDirectory(prefix="throughline-uploads-")


@share
def shared_world(shared_cast):
    """Write the world, with its pictures in a directory that lasts as long as the tests."""
    with override_settings(MEDIA_ROOT=UPLOADS.name):
        return worlds.build(shared_cast)


@pytest.fixture
def world(shared_world, settings):
    """Return both workspaces' marked rows: own, hidden, theirs."""
    settings.MEDIA_ROOT = UPLOADS.name
    return shared_world
