"""Make new companies."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from audit.record import record
from contacts.duplicates import taken
from contacts.fields import SNAPSHOT, build, validate
from contacts.models import Company
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed
from crm.kit.outcome import Outcome


@transaction.atomic
def create_company(companies: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Add a company for each mapping of field → value; all of them or none.

    Raises Invalid with a sentence per field, NotAllowed for a viewer.
    """
    if not by.is_at_least(Role.REP):
        raise NotAllowed("A viewer cannot add companies.")
    wanted = [validate("company", values, by=by, new=True) for values in companies]
    records = [build(Company, values, by) for values in wanted]
    try:
        with transaction.atomic():
            Company.objects.bulk_create(records)
    except IntegrityError:
        raise taken(Company, wanted, by) from None
    rows = Company.objects.filter(pk__in=[company.pk for company in records])
    record("company.created", rows, by=by, snapshot=SNAPSHOT["company"])
    return Outcome(by.change, [company.pk for company in records])
