"""Arrange the cards of one's dashboard."""

from collections.abc import Sequence

from django.db import transaction

from audit.record import record, update_and_record
from crm.dashboards.models import Layout
from crm.dashboards.tables import all_parts
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _


@transaction.atomic
def arrange(parts: Sequence[str], *, by: Actor) -> Layout:
    """Show the actor only these cards, in this order; an empty list restores the default.

    Raises Invalid for an unknown card.
    """
    if unknown := set(parts) - {part.name for part in all_parts()}:
        raise Invalid({"parts": _("There’s no card “{name}”.").format(name=min(unknown))})
    chosen = list(dict.fromkeys(parts))
    layout, created = Layout.objects.get_or_create(member_id=by.member_id, defaults={"parts": chosen})
    row = Layout.objects.filter(pk=layout.pk)
    if created:
        record("dashboard_layout.updated", row, by=by, snapshot=("member", "parts"))
    else:
        update_and_record("dashboard_layout.updated", row, {"parts": chosen}, by=by)
    return row.get()
