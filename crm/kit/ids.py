"""Public ids: a prefix and nine of [A-Za-z0-9], as in contact_fX9bL5nRd."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 9

# A random byte selects a letter by its remainder; the few bytes above the alphabet's last full multiple are dropped,
# otherwise the first letters would be more frequent.
_ROUND = 256 // len(ALPHABET) * len(ALPHABET)
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_DROPPED = bytes(range(_ROUND, 256))


def new_id(prefix: str) -> str:
    """Return a new public id. If two ever clash, the unique index rejects the second."""
    return new_ids(prefix, 1)[0]


def new_ids(prefix: str, count: int) -> list[str]:
    """Return many new public ids from one read of the system's randomness."""
    letters, wanted = "", LENGTH * count
    while len(letters) < wanted:
        letters += secrets.token_bytes(wanted + wanted // 16 + 16).translate(_LETTERS, _DROPPED).decode()
    return [f"{prefix}_{letters[start : start + LENGTH]}" for start in range(0, wanted, LENGTH)]


class PublicId:
    """Path converter for public ids, e.g. contact_fX9bL5nRd."""

    regex = "[a-z]+_[A-Za-z0-9]{9}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python
