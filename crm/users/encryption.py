"""Encryption of stored secrets, with keys derived from SECRET_KEY."""

import base64

from cryptography.fernet import Fernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def cipher(purpose: str) -> Fernet:
    """Return the cipher of one kind of secret: those of another kind can't be put in its place."""
    key = salted_hmac(purpose, "v1", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
