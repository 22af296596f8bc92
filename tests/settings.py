"""The product's settings and the models that only tests use; a request that reads row by row fails (zeal)."""

from crm.settings import *  # noqa: F403
from crm.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = ["tests.conditions.app", "zeal", *INSTALLED_APPS]
MIDDLEWARE = ["zeal.middleware.zeal_middleware", *MIDDLEWARE]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
