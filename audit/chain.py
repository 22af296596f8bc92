"""What a seal is over: the hashes, of a canonical JSON text, so that the database's engine makes no difference."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

START = "0" * 64  # what stands before a workspace's first seal
# In the order in which they are hashed, for ever. `erased_by` is not among them: it names what happened later.
KEPT = (
    *("id", "workspace_id", "at", "recorded_at", "member_id", "channel", "event", "action", "entity", "entity_id"),
    *("person", "severity", "category", "change"),
)
ERASABLE = ("salt", "old_values", "new_values", "note")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


def content_hash(erasable: Sequence[Any]) -> str:
    """SHA-256, in hex, over the values of ERASABLE; the salt keeps a short value from being guessed from it."""
    return _hash(erasable)


def seal_hash(previous: str, seq: int, kept: Sequence[Any], content: str) -> str:
    """SHA-256, in hex, over the seal before, the place in the chain, the values of KEPT and their content_hash()."""
    return _hash([previous, seq, *kept, content])


def _hash(values: Sequence[Any]) -> str:
    return sha256(_canonical(values).encode()).hexdigest()
