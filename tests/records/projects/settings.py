"""The settings of the tests, and the one line that an app adds to those of the product."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.records.projects", *INSTALLED_APPS]
