"""Leads on merge: all move to the survivor, which keeps only the most advanced open one."""

from django.db.models import QuerySet

from audit.record import update_and_record
from contacts.hooks import on_merge
from contacts.models import Contact
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from leads.axes import OPEN, STAGE
from leads.models import Lead

STAGES = [choice.value for choice in STAGE.values]


@on_merge
def move_leads(survivor: Contact, duplicates: QuerySet, by: Actor) -> None:
    """Move leads on merge(); undoing the merge restores them.

    Of several open leads the most advanced stays, by status, stage, then score; the others are trashed first, because
    the database allows one per contact.
    """
    people = [survivor.pk, *duplicates.values_list("pk", flat=True)]
    rows = Lead.objects.filter(contact__pk__any_of=people).select_related("score", "contact")
    leads = list(rows.order_by("pk").select_for_update(of=("self",)))
    is_open = sorted((lead for lead in leads if lead.is_open and lead.deleted_at is None), key=_furthest)
    for lead in is_open[:-1]:
        note = _("Merged. The lead of {contact} was further along.").format(contact=is_open[-1].contact)
        update_and_record(
            "lead.deleted", Lead.objects.filter(pk=lead.pk), {"deleted_at": clock.now()}, by=by, note=note
        )
    theirs = [lead.pk for lead in leads if lead.contact_id != survivor.pk]
    update_and_record("lead.updated", Lead.objects.filter(pk__any_of=theirs), {"contact": survivor.pk}, by=by)


def _furthest(lead: Lead) -> tuple[int, int, int, int]:
    """Return a sort key: larger for more advanced leads, then for older ones."""
    score = lead.score.score_tenths if hasattr(lead, "score") else 0
    return OPEN.index(lead.status), STAGES.index(lead.stage), score, -lead.pk
