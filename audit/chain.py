"""The hashes of seals, over a canonical JSON text, so that they do not depend on the database engine."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

START = "0" * 64  # precedes a workspace's first seal
# In hashing order, which must never change. `erased_by` is excluded: it is set later.
KEPT = (
    *("id", "workspace_id", "at", "recorded_at", "member_id", "channel", "event", "action", "entity", "entity_id"),
    *("person", "severity", "category", "change"),
)
ERASABLE = ("salt", "old_values", "new_values", "note")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


def content_hash(erasable: Sequence[Any]) -> str:
    """Return the SHA-256 hex digest of the values of ERASABLE; the salt prevents guessing short values."""
    return _hash(erasable)


def seal_hash(previous: str, seq: int, kept: Sequence[Any], content: str) -> str:
    """Return the SHA-256 hex digest of the previous seal, sequence number, values of KEPT and content_hash()."""
    return _hash([previous, seq, *kept, content])


def _hash(values: Sequence[Any]) -> str:
    return sha256(_canonical(values).encode()).hexdigest()
