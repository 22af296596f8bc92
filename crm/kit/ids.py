"""Public ids: a prefix and nine of [A-Za-z0-9], as in contact_fX9bL5nRd."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 9


def new_id(prefix: str) -> str:
    """A fresh public id. 62**9 values: at a million rows a clash is one in 13 billion a row, and the index refuses it."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
