"""Panels: content of upper apps on a lower app's record page, e.g. the lead on the contact's."""

from collections.abc import Callable

from django.utils.safestring import SafeString

from crm.users.http import Request

_panels: dict[str, list[Callable[..., SafeString]]] = {}


def register(entity: str, panel: Callable[..., SafeString], *, last: bool = False) -> None:
    """Show `panel(record, request)` on every page of a record of `entity`; below all others if `last`."""
    known = _panels.setdefault(entity, [])
    known.insert(0 if last else len(known), panel)


def panels(entity: str, record, request: Request) -> list[SafeString]:
    """Return a record's panels, topmost app first."""
    return [panel(record, request) for panel in reversed(_panels.get(entity, []))]
