"""Evidence for a record's stage: each condition of its definition, ✓ or ✗, with the record's value."""

from typing import Any

from crm.conditions.compile import Viewer
from crm.conditions.condition import explain_many
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.axes import Axis
from crm.lifecycle.definitions import Definition, condition_of
from crm.lifecycle.models import Wait

HEADINGS = {"entry": _("Entry criteria"), "exit": _("Exit criteria")}


def evidence(record: Any, axis: Axis, definition: Definition, by: Actor) -> list[tuple[str, list]]:
    """Return heading and explained lines of the entry and exit criteria; one statement for both."""
    found = {name: condition_of(getattr(definition, name), axis.entity) for name in HEADINGS}
    conditions = {name: condition for name, condition in found.items() if condition}
    rows = type(record).objects.all()
    explained = explain_many(conditions, rows, record.pk, Viewer.looking(by), clock.now()) if conditions else {}
    return [(HEADINGS[name], lines) for name, lines in explained.items()]


def waiting(record: Any, entity: str) -> Wait | None:
    return Wait.objects.filter(entity=entity, record_id=record.pk, until__gt=clock.now()).first()
