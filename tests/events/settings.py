"""Settings with a handler that leaves traces, and short leases, for tests that start the product."""

from crm.settings import *  # noqa: F403
from crm.settings import CELERY_BROKER_TRANSPORT_OPTIONS, INSTALLED_APPS

INSTALLED_APPS = ["tests.events.app", *INSTALLED_APPS]
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT, DELIVERY_LEASE = 3, 4, 5
CELERY_BROKER_TRANSPORT_OPTIONS = CELERY_BROKER_TRANSPORT_OPTIONS | {"visibility_timeout": 6}
CELERY_WORKER_CONCURRENCY = 2
