"""The product with a handler that leaves a trace, for tests that start it; leases are short, so that they end soon."""

from crm.settings import *  # noqa: F403
from crm.settings import CELERY_BROKER_TRANSPORT_OPTIONS, INSTALLED_APPS

INSTALLED_APPS = ["tests.events.app", *INSTALLED_APPS]
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT, DELIVERY_LEASE = 3, 4, 5
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"visibility_timeout": 6}
CELERY_WORKER_CONCURRENCY = 2
