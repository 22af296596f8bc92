"""What a file of opportunities makes of the open leads of their contacts."""

from collections.abc import Sequence

from crm.kit.actor import Actor
from crm.lists.models import ImportRun
from crm.opportunities.models import Opportunity
from leads.converting import Converted, convert_each
from leads.models import Lead


def convert_leads(opportunities: Sequence[Opportunity], run: ImportRun, by: Actor) -> None:
    """Convert the open lead of each contact to the first of their opportunities (locked, as the contacts are).

    Past its guards and dated by the opportunity, as a warning; only where the run has a reason to override stages
    (DESIGN 3). Without one leads stay as they are.
    """
    if not run.override_reason:
        return
    linked = Lead.objects.filter(opportunity__pk__any_of=[each.pk for each in opportunities])
    taken = set(linked.values_list("opportunity", flat=True))
    first: dict[int, Opportunity] = {}
    for each in sorted(opportunities, key=lambda each: (each.created_at, each.pk)):
        if each.pk not in taken:
            first.setdefault(each.contact_id, each)
    leads = Lead.objects.open().filter(contact__pk__any_of=list(first)).order_by("pk")
    pairs = [(lead, first[lead.contact_id]) for lead in leads.select_for_update(of=("self",))]
    converted = [Converted(lead, each.pk, each.created_at) for lead, each in pairs]
    if converted:
        convert_each(converted, by=by, reason=run.override_reason, severity="warning")
