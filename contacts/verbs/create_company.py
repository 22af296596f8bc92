"""Create companies."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts.models import Company
from crm.kit.actor import Actor
from crm.kit.outcome import Outcome
from crm.records.verbs.create_records import create_records


@transaction.atomic
def create_company(companies: Sequence[Mapping[str, Any]], *, by: Actor) -> Outcome:
    """Create a company for each mapping of field → value; all of them or none.

    Raises Invalid with a message per field, NotAllowed for a viewer.
    """
    return create_records(Company, companies, by=by)
