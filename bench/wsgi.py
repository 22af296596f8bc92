"""The product as gunicorn serves it, plus the empty page of bench.urls."""

from django.conf import settings

settings.ROOT_URLCONF = "bench.urls"
settings.ALLOWED_HOSTS = ["127.0.0.1"]
settings.SECURE_SSL_REDIRECT = False
from crm.wsgi import application  # noqa: E402, F401  (for gunicorn; middleware reads the settings when it is made)
