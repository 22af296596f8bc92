"""Public ids: a prefix and nine of [A-Za-z0-9], as in contact_fX9bL5nRd."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 9

# A random byte becomes the letter at its remainder; the few bytes above the last whole round of the alphabet are
# dropped, or the first letters would come up more often than the others.
_ROUND = 256 // len(ALPHABET) * len(ALPHABET)
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_DROPPED = bytes(range(_ROUND, 256))


def new_id(prefix: str) -> str:
    """A fresh public id. Should two ever clash, the unique index refuses the second."""
    return new_ids(prefix, 1)[0]


def new_ids(prefix: str, count: int) -> list[str]:
    """Many fresh public ids from one reading of the system's randomness."""
    letters, wanted = "", LENGTH * count
    while len(letters) < wanted:
        letters += secrets.token_bytes(wanted + wanted // 16 + 16).translate(_LETTERS, _DROPPED).decode()
    return [f"{prefix}_{letters[start : start + LENGTH]}" for start in range(0, wanted, LENGTH)]


class PublicId:
    """A public id in a URL, as a path converter: contact_fX9bL5nRd and its like."""

    regex = "[a-z]+_[A-Za-z0-9]{9}"

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python
