"""Panels: what upper apps show on the page of a lower app's record, such as the lead on the contact's."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from crm.kit.actor import Actor
from crm.kit.sql import JsonRows
from crm.users.http import Request

_panels: dict[str, list[Callable[..., SafeString]]] = {}
_facts: dict[str, dict[str, Callable[[Actor], QuerySet]]] = {}


def register(entity: str, panel: Callable[..., SafeString], **facts: Callable[[Actor], QuerySet]) -> None:
    """Show `panel(record, request)` beside every record of `entity`.

    `facts` come with the record, in the statement that finds it: `name=rows`, where `rows(by)` selects one JSON value
    each under the name `fact`, tied to the record by OuterRef("pk"). The panel finds them as `record.name`.
    """
    _panels.setdefault(entity, []).append(panel)
    _facts.setdefault(entity, {}).update(facts)


def facts_for(entity: str, by: Actor) -> dict[str, JsonRows]:
    """What the panels of an entity want to know of each record, as annotations."""
    return {name: JsonRows(rows(by)) for name, rows in _facts.get(entity, {}).items()}


def panels(entity: str, record, request: Request) -> list[SafeString]:
    """The panels of a record, in the order in which they were registered."""
    return [panel(record, request) for panel in _panels.get(entity, ())]
