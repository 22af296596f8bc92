"""Who reports to whom, and nobody to themselves."""

from collections.abc import Collection

from contacts.models import Contact
from crm.kit.errors import Invalid


def refuse_circles(people: Collection[int], manager: int | None) -> None:
    """Raise Invalid when one of `people` stands at or above `manager`, to whom they shall report."""
    if set(people) & chain(manager):
        raise Invalid({"manager": "Nobody reports to themselves, not even through others."})


def chain(contact: int | None) -> set[int]:
    found: set[int] = set()
    while contact and contact not in found:
        found.add(contact)
        contact = Contact.objects.filter(pk=contact).values_list("manager", flat=True).first()
    return found
