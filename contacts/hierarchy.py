"""Reporting lines of contacts, which must not be circular."""

from collections.abc import Collection

from contacts.models import Contact
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _


def refuse_circles(people: Collection[int], manager: int | None) -> None:
    """Raise Invalid if one of `people` is `manager`, their new manager, or above them."""
    if set(people) & chain(manager):
        raise Invalid({"manager": _("A contact can’t report to themselves, directly or indirectly.")})


def chain(contact: int | None) -> set[int]:
    found: set[int] = set()
    while contact and contact not in found:
        found.add(contact)
        contact = Contact.objects.filter(pk=contact).values_list("manager", flat=True).first()
    return found
