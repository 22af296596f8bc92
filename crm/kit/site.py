"""The address of this installation, for links in mails that no request asks for."""

from django.conf import settings


def site() -> str:
    """As in https://crm.example: the first of ALLOWED_HOSTS, on this machine under DEBUG."""
    if settings.DEBUG:
        return f"http://127.0.0.1:{settings.ENV.port}"
    return f"https://{settings.ALLOWED_HOSTS[0].lstrip('.')}"
