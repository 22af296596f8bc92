"""Editing, restoring and undoing changes of companies."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.models import Entry
from audit.undo.hooks import hold_back, on_lock
from contacts.hierarchy import CIRCLE, circles, lock_hierarchy, refuse_company_circles
from contacts.models import Company, CompanyDomain
from crm.kit.actor import Actor
from crm.kit.translation import gettext as _
from crm.users.visibility import Locked


def check_company(locked: Locked, changes: Mapping[str, Any]) -> None:
    """Raise Invalid for a parent below one of the companies."""
    if "parent" in changes:
        refuse_company_circles(locked.ids, changes["parent"])


def hold_companies(locked: Locked) -> None:
    """Refuse to restore companies that were merged, or whose domain another company has now."""
    taken: set[str] = set()
    for rows in locked.batches():
        companies = list(rows)
        domains = {domain for company in companies for domain in company.domains}
        taken |= set(CompanyDomain.objects.filter(domain__any_of=domains, live=True).values_list("domain", flat=True))
        for company in companies:
            if company.merged_into_id:
                sentence = _("This company was merged into another one. Unmerge it instead.")
                locked.outcome.refuse([company.pk], sentence)
            elif not taken.isdisjoint(company.domains):
                locked.outcome.refuse([company.pk], _("Another company now uses this domain."))
            else:
                taken |= {*company.domains}


@on_lock
def lock_parents(entries: Sequence[Entry]) -> None:
    """Listener of audit.undo: take turns with other changes of parents."""
    if any(entry.entity == "company" and "parent" in (entry.old_values or {}) for entry in entries):
        lock_hierarchy()


@hold_back
def keep_parents(entity: str, entries: Sequence[Entry], by: Actor) -> dict[int, str]:
    """Rule of audit.undo: restore no parent that is below its company by now."""
    if entity != "company":
        return {}
    old = {entry.entity_id: (entry.old_values or {}) for entry in entries}  # the oldest entry of each, which is last
    links = {pk: values["parent"] for pk, values in old.items() if "parent" in values}
    return dict.fromkeys(circles(Company, "parent", links), str(CIRCLE)) if any(links.values()) else {}
