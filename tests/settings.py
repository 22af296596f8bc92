"""The product's settings, the models that only tests use, and zeal, which tells who reads row by row."""

from crm.settings import *  # noqa: F403
from crm.settings import CACHES, INSTALLED_APPS, LOCMEM

INSTALLED_APPS = ["tests.conditions.app", "zeal", *INSTALLED_APPS]
# Every test begins without counters, also those that have no database; tests/users/test_counters.py asks the real ones.
CACHES = CACHES | {"default": {"BACKEND": LOCMEM}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
