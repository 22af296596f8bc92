"""Links from a record to one above it of the same kind, which must not form circles: managers and parent companies."""

from collections.abc import Collection, Mapping
from typing import Any

from contacts.models import Company, Contact
from crm.kit.errors import Invalid
from crm.kit.scope import workspace_id
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy
from crm.records.models import Record
from crm.users.models import Workspace

CIRCLE = gettext_lazy("A company can’t be its own parent, directly or indirectly.")


def refuse_circles(people: Collection[int], manager: int | None) -> None:
    """Raise Invalid if one of `people` is `manager`, their new manager, or above them."""
    if set(people) & chain(Contact, "manager", manager):
        raise Invalid({"manager": _("A contact can’t report to themselves, directly or indirectly.")})


def refuse_company_circles(companies: Collection[int], parent: int | None) -> None:
    """Raise Invalid if one of `companies` is `parent`, their new parent, or above it."""
    if set(companies) & chain(Company, "parent", parent):
        raise Invalid({"parent": str(CIRCLE)})


def lock_hierarchy(changes: Collection[str] = ("parent",)) -> None:
    """Let one transaction at a time change parents: two that are harmless alone can close a circle together.

    Taken before locks of companies, as imports do. Why: docs/decisions/0079-one-change-of-parents-at-a-time.md
    """
    if "parent" in changes:
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id())


def chain(model: type[Record], link: str, pk: int | None) -> set[int]:
    """Return the record and all above it."""
    found: set[int] = set()
    while pk and pk not in found:
        found.add(pk)
        pk = model.objects.filter(pk=pk).values_list(link, flat=True).first()
    return found


def circles(model: type[Record], link: str, links: Mapping[int, int | None]) -> set[int]:
    """Return those of the new links (record → the one above) that would close a circle."""
    above: dict[int, int | None] = dict(links)
    frontier = {pk for pk in links.values() if pk}
    while frontier := frontier - above.keys():
        found = dict(model.objects.filter(pk__in=frontier).values_list("pk", link))
        above |= {pk: found.get(pk) for pk in frontier}
        frontier = {pk for pk in found.values() if pk}
    return {pk for pk in links if _comes_back(pk, above)}


def _comes_back(record: int, above: dict[int, Any]) -> bool:
    seen: set[int] = set()
    at: int | None = record
    while at is not None and at not in seen:
        seen.add(at)
        at = above.get(at)
    if at == record:
        above[record] = None  # without this link the rest of the circle can stay
    return at == record
