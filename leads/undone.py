"""Limits of undo: a converted lead changes only by undoing the conversion, in time."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from audit.models import Entry
from audit.undo.hooks import hold_back
from crm.kit.actor import Actor, Role
from crm.kit.translation import gettext as _
from leads.models import Lead, LeadQuerySet

WITHIN = timedelta(days=30)
FOLLOWING = {"contact", "owner", "team"}  # copied from the contact, even after conversion


@hold_back
def hold_converted(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Hook of audit.undo: return the reason for each converted lead in `entries` that must stay (DESIGN 1.2)."""
    if entity != "lead":
        return {}
    leads = Lead.objects.filter(pk__any_of=[entry.entity_id for entry in entries], status="converted")
    opportunities = dict(leads.values_list("pk", "opportunity"))
    conversions = {entry.entity_id: entry for entry in entries if entry.event == "lead.converted"}
    busy = _busy(conversions.values(), opportunities)
    held = {}
    for entry in (entry for entry in entries if entry.entity_id in opportunities):
        pk = entry.entity_id
        if pk in conversions:
            held[pk] = _too_late(conversions[pk], opportunities[pk] in busy, by)
        elif not set(entry.old_values or ()) <= FOLLOWING:
            held[pk] = str(LeadQuerySet.FINAL[1])
    return {pk: sentence for pk, sentence in held.items() if sentence}


def _too_late(conversion: Entry, is_busy: bool, by: Actor) -> str:
    if not by.is_at_least(Role.MANAGER):
        return _("Only managers and admins can undo a conversion.")
    if timezone.now() - conversion.recorded_at > WITHIN:
        return _("A conversion can be undone for {days} days.").format(days=WITHIN.days)
    return _("The opportunity has changed since the conversion.") if is_busy else ""


def _busy(conversions, opportunities: dict[int, int]) -> set[int]:
    """Return the opportunities changed since their leads were converted."""
    changes = {opportunities[entry.entity_id]: entry for entry in conversions if entry.entity_id in opportunities}
    if not changes:
        return set()
    first = min(entry.id for entry in changes.values())
    since = Entry.objects.filter(id__gt=first, entity="opportunity", entity_id__in=list(changes))
    found = since.exclude(change__in={entry.change for entry in changes.values()})
    return {pk for pk, at in found.values_list("entity_id", "id") if at > changes[pk].id}
