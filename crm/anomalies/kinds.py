"""The kinds of exception: apps register what contradicts their rules, as a query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from crm.kit.registry import Registry


@dataclass(frozen=True)
class AnomalyKind:
    """A rule that records may contradict.

    `rows()` are the records that contradict it now, `since()` and `evidence()` expressions over them: since when, and
    what shows it, as text in the language in use, which is that of the workspace. `help` labels the page that helps,
    whose address `url(record)` gives. `looked_at` maps an event to the link from the record to what it happens to
    ('' for the record itself): these look again at once.
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


_kinds: Registry[AnomalyKind] = Registry("kind of exception")  # not a text


def add_kind(kind: AnomalyKind) -> None:
    """Make a kind known. Raises ValueError for a name that is taken. Apps call crm.anomalies.detect.register()."""
    _kinds.add(kind.name, kind)


def kind_of(name: str) -> AnomalyKind:
    """The kind called `name`. Raises KeyError."""
    return _kinds[name]


def all_kinds() -> list[AnomalyKind]:
    return list(_kinds)
