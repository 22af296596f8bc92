"""Create legacy leads while their workspace is open."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.db import IntegrityError, transaction

from audit.record import record
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.legacy_leads.access import allow_creating_legacy_leads
from crm.legacy_leads.models import LegacyLead
from crm.records.validation import validate
from crm.records.writing import build, columns


@transaction.atomic
def create_legacy_leads(leads: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Create a legacy lead for each mapping of field → value; all of them or none.

    The name defaults to first and last name, email, company or phone. Raises Invalid with a message per field,
    NotAllowed for a viewer, Refused during the migration.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t add legacy leads."))
    allow_creating_legacy_leads(by)
    wanted = [validate("legacy_lead", values, by=by) for values in leads]
    made = [cast(LegacyLead, build(LegacyLead, {"currency": workspace().currency} | v, by)) for v in wanted]
    if not all(lead.name for lead in made):
        raise Invalid({"name": _("Enter a name, an email or a company.")})
    try:
        with transaction.atomic():
            LegacyLead.objects.bulk_create(made)
    except IntegrityError:
        raise Invalid({"external_id": _("A legacy lead with this external ID already exists.")}) from None
    rows = LegacyLead.objects.filter(pk__in=[lead.pk for lead in made])
    record("legacy_lead.created", rows, by=by, snapshot=columns(LegacyLead))
    return Outcome(by.change, [lead.pk for lead in made])
