"""Convert leads to opportunities."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lifecycle.move import check_move
from crm.opportunities.contacts import lock_contacts
from crm.opportunities.pipelines import stage_for_converted
from crm.opportunities.verbs.create import create
from crm.users.visibility import Locked, RecordQuerySet, lock, may_see
from leads.axes import OPEN, STATUS
from leads.converting import Converted, convert_each, proposal
from leads.models import Lead

NOT_READY = _("Lead must be Sales Qualified to convert")  # source 003, Conversion Requirement


@transaction.atomic
def convert(leads: RecordQuerySet, *, by: Actor, reason: str = "", values: Mapping[str, Any] | None = None) -> Outcome:
    """Create an opportunity for each Sales Qualified lead at the stage for those, link both, and convert the lead.

    `values` (field → value) override the lead's defaults. A converted lead counts as done and keeps its opportunity:
    repeated or concurrent clicks create one. Locks go contact → lead → opportunity. Raises Invalid with a message per
    field of the opportunity.
    """
    people = lock_contacts(leads.order_by().values_list("contact", flat=True))
    locked = lock(leads, by, final=True)
    rows = Lead.objects.filter(pk__any_of=locked.ids).select_related("contact__company", "owner").order_by("pk")
    found = [lead for lead in rows if lead.pk not in locked.outcome.refused]
    before = [lead.pk for lead in found if lead.status == "converted"]
    locked.ids = [pk for pk in locked.ids if pk not in before]
    _refuse(found, people, locked, by)
    check_move(locked, STATUS, "convert", by=by)
    ready = [lead for lead in found if lead.pk not in before and lead.pk not in locked.outcome.refused]
    if ready:
        proposed = [proposal(lead) | dict(values or {}) for lead in ready]
        made = create(proposed, by=by, stage=stage_for_converted().key, complete=False)
        now = clock.now()
        pairs = zip(ready, made.done, strict=True)
        convert_each([Converted(lead, opportunity, now) for lead, opportunity in pairs], by=by, reason=reason)
    locked.outcome.done += before + [lead.pk for lead in ready]
    return locked.outcome


def _refuse(found: list[Lead], people: Mapping[int, Contact], locked: Locked, by: Actor) -> None:
    for lead in found:
        contact = people.get(lead.contact_id)
        if lead.status in OPEN and lead.stage != "sales_qualified":
            locked.outcome.refuse([lead.pk], str(NOT_READY))
        elif contact is None and lead.status in OPEN:
            locked.outcome.refuse([lead.pk], gettext("The contact is in the trash. Restore it first."))
        elif contact and not may_see(contact, by):
            sentence = gettext("You can’t create an opportunity for this contact because someone else owns it.")
            locked.outcome.refuse([lead.pk], sentence)
