"""Create records."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from crm.entities.registry import entity_of
from crm.kit.actor import Actor, Role
from crm.kit.errors import Invalid, NotAllowed
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.duplicates import duplicate_error
from crm.records.models import Record
from crm.records.validation import missing, validate
from crm.records.writing import build, insert_records


@transaction.atomic
def create_records(
    model: type[Record],
    given: Sequence[Mapping[str, Any]],
    *,
    by: Actor,
    make: Callable[[list[dict[str, Any]]], list[Any]] | None = None,
) -> Outcome:
    """Create a record of `model` for each mapping of field → value; all of them or none.

    The owner defaults to the creator. `make` builds the records from validated values, for types that need more. Raises
    Invalid with a message per field, NotAllowed for a viewer.
    """
    entity = entity_of(model)
    if not by.is_at_least(Role.REP):
        raise NotAllowed(_("Viewers can’t create records."))
    values = [validate(entity, each, by=by, new=True) for each in given]
    records = make(values) if make else [_build(model, entity, each, by) for each in values]
    try:
        return Outcome(by.change, insert_records(records, f"{entity}.created", by=by))
    except IntegrityError as error:
        raise (duplicate_error(model, values, by) or error) from None


def _build(model: type[Record], entity: str, values: dict[str, Any], by: Actor) -> Record:
    if errors := missing(entity, values):
        raise Invalid(errors)
    return build(model, values, by)
