"""Edit or cancel activities."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from audit.record import update_and_record
from contacts.activities.conversations import check_in_range, check_occurred, check_outcome
from contacts.activities.inserting import check_links
from contacts.activities.last_activity import recompute
from contacts.activities.participants import keys_of_people
from contacts.activities.repeating import check_repeats
from contacts.models import Activity
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.models import derive
from crm.records.validation import check_lengths
from crm.users.visibility import RecordQuerySet, lock

EDITABLE = {"subject", "body", "owner", "assignee", "priority", "due_at", "minutes", "sender", "recipients", "status"}
EDITABLE |= {"outcome", "occurred_at", "opportunity", "reminder", "repeats"}


@transaction.atomic
def edit_activity(activities: RecordQuerySet, values: Mapping[str, Any], *, by: Actor) -> Outcome:
    """Set fields of activities (typed values); complete() is the verb that completes them.

    Raises Invalid for a read-only field, an empty subject, a status other than pending or canceled, a completed call
    without an outcome, and a time that is in the future, or missing on a completed activity.
    """
    if wrong := values.keys() - EDITABLE:
        sentence = _("{field} of an activity can’t be changed.")
        raise Invalid({key: sentence.format(field=key) for key in wrong})
    check_lengths(Activity, values)
    if not values.get("subject", "-").strip():
        raise Invalid({"subject": _("Add a note or a subject.")})
    if values.get("status", "pending") not in ("pending", "cancelled"):
        raise Invalid({"status": _("Set the status to Pending or Canceled. To complete a task, use Complete.")})
    check_in_range("due_at", values.get("due_at"))
    locked = lock(activities, by)
    for rows in locked.batches():
        _check_new_links(rows, values, by)
        _check_calls(rows, values)
        _check_repeating(rows, values)
        rekey = partial(derive, changed=values) if "subject" in values else None
        anew = _rescheduled(rows, values)
        if anew:
            moved = {**values, "series_start": values.get("due_at", F("due_at"))}
            update_and_record("activity.updated", rows.filter(pk__in=anew), moved, by=by, derive=rekey)
        update_and_record("activity.updated", rows.exclude(pk__in=anew), values, by=by, derive=rekey)
        if values.keys() & {"status", "occurred_at"}:
            recompute(keys_of_people(rows))
        locked.outcome.done += rows.values_list("pk", flat=True)
    return locked.outcome


def _check_new_links(rows: QuerySet, values: Mapping[str, Any], by: Actor) -> None:
    """Check the links that change: one to a record that is hidden from `by`, or in the trash, may stay."""
    given = {key: getattr(values[key], "pk", values[key]) for key in ("assignee", "opportunity") if values.get(key)}
    new = {f"{key}_id": pk for key, pk in given.items() if rows.exclude(**{key: pk}).exists()}
    check_links([Activity(**new)], by)


def _check_calls(rows: QuerySet, values: Mapping[str, Any]) -> None:
    check_occurred(values.get("occurred_at"))
    for kind, status, outcome in rows.order_by().values_list("kind", "status", "outcome").distinct():
        status = values.get("status", status)
        if "outcome" in values:
            check_outcome(kind, status, values["outcome"])
        elif status == "pending" and outcome:
            raise Invalid({"outcome": _("A scheduled call has no outcome yet.")})
        if status == "done" and values.get("occurred_at", True) is None:
            raise Invalid({"occurred_at": _("Enter when it took place.")})


def _check_repeating(rows: QuerySet, values: Mapping[str, Any]) -> None:
    """Check the repetition that rows will have with their due times."""
    if values.keys() & {"repeats", "due_at"}:
        for repeats, due_at in rows.order_by().values_list("repeats", "due_at").distinct():
            check_repeats(values.get("repeats", repeats), values.get("due_at", due_at))


def _rescheduled(rows: QuerySet, values: Mapping[str, Any]) -> list[int]:
    """Return the keys of rows whose due time or interval changes: their series begins anew."""
    timing = {key: values[key] for key in ("repeats", "due_at") if key in values}
    return list(rows.exclude(**timing).values_list("pk", flat=True)) if timing else []
