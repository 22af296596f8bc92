"""A member's cards and their order."""

from collections.abc import Sequence

from crm.dashboards.models import Layout
from crm.dashboards.tables import Part, all_parts
from crm.kit.actor import Actor, Role


def allowed(by: Actor) -> list[Part]:
    """Return the cards included in the actor's role."""
    return [part for part in all_parts() if not part.for_managers or by.is_at_least(Role.MANAGER)]


def chosen(by: Actor) -> list[Part]:
    """Return the actor's arranged cards, by default all."""
    parts = {part.name: part for part in allowed(by)}
    names: Sequence[str] = Layout.objects.filter(member_id=by.member_id).values_list("parts", flat=True).first() or ()
    return [parts[name] for name in names if name in parts] or list(parts.values())
