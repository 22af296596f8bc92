"""What becomes of leads when their contacts are merged: the survivor has them all, and one open lead, the further."""

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
    """Called by merge(); undoing the merge brings them back.

    Of several open leads the one that is further stays, by status, then stage, then score; the others go to the trash
    first, for the database keeps a contact to one.
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
    """The further a lead, the larger; of equals the older one."""
    score = lead.score.score_tenths if hasattr(lead, "score") else 0
    return OPEN.index(lead.status), STAGES.index(lead.stage), score, -lead.pk
