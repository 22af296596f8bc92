"""Panels: content of upper apps on a lower app's record page, e.g. the lead on the contact's."""

from collections.abc import Callable

from django.utils.safestring import SafeString

from crm.users.http import Request

_panels: dict[str, list[Callable[..., SafeString]]] = {}


def register(entity: str, panel: Callable[..., SafeString]) -> None:
    """Show `panel(record, request)` on every record page of `entity`."""
    _panels.setdefault(entity, []).append(panel)


def panels(entity: str, record, request: Request) -> list[SafeString]:
    """Return a record's panels, topmost app first."""
    return [panel(record, request) for panel in reversed(_panels.get(entity, []))]
