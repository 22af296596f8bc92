"""Encryption of 2FA secrets, with a key derived from SECRET_KEY.

Of a passkey only the public half is stored, which is no secret.

Why: docs/decisions/0053-second-factors-are-encrypted.md
"""

import logging

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken

from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.encryption import cipher

BEGINS = "gAAAA"  # prefix of Fernet tokens until 2106; allauth's secrets and codes never have it
PURPOSE = "crm.users.second_factors"
log = logging.getLogger(__name__)


class MFAAdapter(DefaultMFAAdapter):
    """Adapter that encrypts the secrets of authenticator apps and recovery codes."""

    def encrypt(self, text: str) -> str:
        return cipher(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a stored secret; earlier versions' unencrypted ones are returned. Raises Refused for another key."""
        if not encrypted_text.startswith(BEGINS):
            return encrypted_text
        try:
            return cipher(PURPOSE).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            log.error("A second factor cannot be read: it was stored under another SECRET_KEY.")
            sentence = _(
                "We can’t read your two-factor method because the server’s secret key has changed. Use a passkey, or "
                "ask your server’s operator to remove the method."
            )
            raise Refused(sentence) from None
