"""Public ids: a prefix and nine of [A-Za-z0-9], as in contact_fX9bL5nRd."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 9


def new_id(prefix: str) -> str:
    """A fresh public id. Should two ever clash, the unique index refuses the second."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
