"""What the template is migrated under: the product and the models of every settings module of the tests.

A table whose app a process does not install does it no harm, and to migrate twice takes twice as long.
"""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.conditions.app", "tests.events.app", *INSTALLED_APPS]
