"""Settings to migrate the template: the product and the models of all test settings.

Tables of uninstalled apps are harmless, and migrating twice takes twice as long.
"""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.conditions.app", "tests.events.app", *INSTALLED_APPS]
