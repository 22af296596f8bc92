"""Celery, as `celery -A crm worker` and `manage.py engine` use it. The web process does not import it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
app = Celery("throughline")
app.config_from_object("django.conf:settings", namespace="CELERY")
