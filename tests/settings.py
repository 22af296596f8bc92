"""The product's settings, test models, and zeal, which detects N+1 queries."""

from crm.settings import *  # noqa: F403
from crm.settings import CACHES, INSTALLED_APPS, LOCMEM

INSTALLED_APPS = ["tests.conditions.app", "zeal", *INSTALLED_APPS]
# Every test starts without counters, even without a database; tests/users/test_counters.py uses the real ones.
CACHES = CACHES | {"default": {"BACKEND": LOCMEM}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
