"""Panels: what upper apps show on the page of a lower app's record, such as the lead on the contact's."""

from collections.abc import Callable

from django.utils.safestring import SafeString

from crm.users.http import Request

_panels: dict[str, list[Callable[..., SafeString]]] = {}


def register(entity: str, panel: Callable[..., SafeString]) -> None:
    """Show `panel(record, request)` beside every record of `entity`."""
    _panels.setdefault(entity, []).append(panel)


def panels(entity: str, record, request: Request) -> list[SafeString]:
    """The panels of a record, those of the uppermost app first."""
    return [panel(record, request) for panel in reversed(_panels.get(entity, []))]
