"""Editing and restoring contacts."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Concat, Left, Trim
from django.db.models.lookups import Exact

from contacts.axes import STATUS
from contacts.finding import with_emails
from contacts.hierarchy import refuse_circles
from contacts.models import Contact
from contacts.suppression import status_refusals
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.users.visibility import Locked, RecordQuerySet


def check_edit(locked: Locked, changes: Mapping[str, Any]) -> None:
    """Raise Invalid for a circular reporting line; refuse a status fixed by a suppression."""
    if "manager" in changes:
        refuse_circles(locked.ids, changes["manager"])
    for rows in locked.batches() if STATUS.field in changes else ():
        locked.outcome.refused |= status_refusals(rows, changes[STATUS.field])


def hold_in_trash(locked: Locked) -> None:
    """Refuse to restore contacts that were merged into another, and those with an email that another contact has."""
    taken: set[str] = set()
    for rows in locked.batches():
        merged = rows.filter(merged_into__isnull=False).values_list("pk", flat=True)
        locked.outcome.refuse(merged, _("This contact was merged into another one. Unmerge it instead."))
    for rows in locked.batches():
        mine = {contact.pk: contact.email_keys for contact in rows.only("address_rows").order_by("pk")}
        taken |= with_emails(key for keys in mine.values() for key in keys).keys()
        for pk, keys in mine.items():  # of several trashed contacts with one email, the first
            if not taken.isdisjoint(keys):
                locked.outcome.refuse([pk], _("Another record now uses this email."))
            taken |= set(keys)


def with_full_name(rows: RecordQuerySet, changes: dict[str, Any]) -> dict[str, Any]:
    """Derive the full name from first and last names while it matches them, or if it is empty.

    Raises Invalid if there is no name to derive it from.
    """
    if not {"name", "first_name", "last_name"} & changes.keys() or changes.get("name"):
        return changes
    first, last, email = (_new(changes, key) for key in ("first_name", "last_name", "email"))
    made = _joined(first, last)
    if "name" not in changes:
        follows = Q(name=_joined(F("first_name"), F("last_name"))) & ~Q(Exact(made, Value("")))
        return changes | {"name": Case(When(follows, then=made), default=F("name"))}
    name = Case(When(~Q(Exact(made, Value(""))), then=made), default=email)
    if rows.filter(Exact(name, Value(""))).exists():
        raise Invalid({"name": str(Contact.NAMELESS)})
    return changes | {"name": name}


def _new(changes: dict, key: str) -> Any:
    return Value(changes[key]) if key in changes else F(key)


def _joined(first: Any, last: Any) -> Any:
    return Left(Trim(Concat(first, Value(" "), last)), 200)
