"""Kinds of exception: apps register violations of their rules, as queries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from crm.kit.registry import Registry


@dataclass(frozen=True)
class AnomalyKind:
    """A rule that records may violate.

    `rows()` are the records that violate it now; `since()` and `evidence()` are expressions over them for start and
    proof, as text in the active language, the workspace's. `help` labels the help page at `url(record)`. `looked_at`
    maps an event to the link from the record to the event's object ('' for the record itself): these trigger an
    immediate check.
    """

    name: str
    label: str
    entity: str
    rows: Callable[[], QuerySet]
    since: Callable[[], Any]
    evidence: Callable[[], Any]
    help: str
    url: Callable[[Any], str]
    looked_at: Mapping[str, str] = field(default_factory=dict)


# Apps add theirs by crm.anomalies.detect.register().
ANOMALY_KINDS: Registry[AnomalyKind] = Registry("kind of exception")  # not a text
