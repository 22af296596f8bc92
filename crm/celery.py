"""The Celery app of `celery -A crm worker` and `manage.py engine`, not imported by the web process."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
app = Celery("throughline")
app.config_from_object("django.conf:settings", namespace="CELERY")
