"""The test settings, plus the one line that an app adds to the product's."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.records.projects", *INSTALLED_APPS]
