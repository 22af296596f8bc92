"""The product's settings, the models that only tests use, and zeal, which tells who reads row by row."""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.conditions.app", "zeal", *INSTALLED_APPS]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
