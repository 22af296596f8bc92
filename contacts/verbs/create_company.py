"""Make new companies."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audit.record import record
from contacts.fields import SNAPSHOT, build, validate
from contacts.models import Company
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome


@transaction.atomic
def create_company(companies: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Add a company for each mapping of field → value; all of them or none.

    Raises Invalid with a sentence per field, NotAllowed for a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed("A viewer cannot add companies.")
    records = [build(Company, validate("company", values, by=by, new=True), by) for values in companies]
    try:
        with transaction.atomic():
            Company.objects.bulk_create(records)
    except IntegrityError:
        raise Invalid({"external_id": "Another company has this external ID already."}) from None
    rows = Company.objects.filter(pk__in=[company.pk for company in records])
    record("company.created", rows, by=by, snapshot=SNAPSHOT["company"])
    return Outcome(by.change, [company.pk for company in records])
