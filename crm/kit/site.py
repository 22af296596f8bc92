"""This installation's base URL, for links in emails sent outside requests."""

from django.conf import settings


def site() -> str:
    """Return e.g. https://crm.example: the first of ALLOWED_HOSTS, or this machine under DEBUG."""
    if settings.DEBUG:
        return f"http://127.0.0.1:{settings.ENV.port}"
    return f"https://{settings.ALLOWED_HOSTS[0].lstrip('.')}"
