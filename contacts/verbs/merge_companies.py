"""Merge duplicates into one company. To unmerge, undo the change."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.record import record, update_and_record
from contacts.filling import filled, names
from contacts.hierarchy import chain, lock_hierarchy
from contacts.hooks import on_company_merge
from contacts.models import Activity, Company, Contact
from crm.entities import registry
from crm.entities.fields import FieldType
from crm.entities.models import CustomField
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.outcome import Outcome
from crm.kit.translation import gettext as _
from crm.records.validation import validate
from crm.records.writing import apply
from crm.users.visibility import lock

KEPT = {"domain", "other_domains", "parent", "custom"}  # not filled like other blanks


@transaction.atomic
def merge_companies(
    survivor: Company, duplicates: QuerySet, *, by: Actor, choose: Mapping[str, Any] | None = None
) -> Outcome:
    """Merge `duplicates` into `survivor`: they end in the trash, and all their records move to the survivor.

    The survivor keeps its values and gets all domains, blanks are filled from the duplicates in order, `choose`
    (field → value) settles the others. All of it is one change to undo. Raises Refused for a record that cannot be
    changed, Invalid without duplicates, and per field of `choose`.
    """
    chosen = validate("company", choose or {}, by=by)
    lock_hierarchy()
    group = [survivor.pk, *duplicates.values_list("pk", flat=True)]
    _hold(Contact.objects.filter(company__in=group))  # before the companies, as in edits of contacts
    locked = lock(Company.objects.filter(pk__in=group), by)
    locked.outcome.or_raise()
    others = Company.objects.filter(pk__in=[pk for pk in locked.ids if pk != survivor.pk]).order_by("pk")
    if survivor.pk not in locked.ids or not others:
        raise Invalid(_("Choose a different company to merge with."))
    survivor, rows = Company.objects.get(pk=survivor.pk), Company.objects.filter(pk=survivor.pk)
    companies = list(others)
    _move_relations(survivor, others, by)
    _absorb(companies, survivor, by)
    changes = filled(survivor, companies, KEPT) | chosen | _domains(survivor, companies, chosen)
    changes["parent"] = _parent(survivor, companies, chosen)
    if not apply("company.merged", rows, changes, by=by, note=names(companies)):
        record("company.merged", rows, by=by, note=names(companies))
    locked.outcome.done = [survivor.pk]
    return locked.outcome


def _hold(rows: QuerySet) -> list[int]:
    return list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def _move_relations(survivor: Company, others: QuerySet, by: Actor) -> None:
    people = Contact.objects.filter(pk__any_of=_hold(Contact.objects.filter(company__in=others)))
    apply("contact.updated", people, {"company": survivor.pk}, by=by)
    for mover in reversed(on_company_merge):
        mover(survivor, others, by)
    update_and_record("activity.updated", Activity.objects.filter(company__in=others), {"company": survivor.pk}, by=by)
    group = [survivor.pk, *others.values_list("pk", flat=True)]
    below = Company.objects.filter(pk__any_of=_hold(Company.objects.filter(parent__in=others).exclude(pk__in=group)))
    update_and_record("company.updated", below, {"parent": survivor.pk}, by=by)
    for field in CustomField.objects.filter(type=FieldType.LINK, target="company"):
        _move_custom_links(field, survivor, others, by)


def _move_custom_links(field: CustomField, survivor: Company, others: QuerySet, by: Actor) -> None:
    links = registry.get(field.entity).model.objects.filter(
        **{f"custom__{field.key}__in": list(others.values_list("pk", flat=True))}
    )
    update_and_record(f"{field.entity}.updated", links, {f"custom.{field.key}": survivor.pk}, by=by)


def _absorb(companies: list[Company], survivor: Company, by: Actor) -> None:
    """Trash the duplicates first: their domains and external IDs must be free before the survivor takes them.

    Companies merged into them earlier follow, so that the survivor's timeline includes theirs.
    """
    ids = [company.pk for company in companies]
    gone = {"deleted_at": clock.now(), "merged_into": survivor.pk}
    apply("company.absorbed", Company.objects.filter(pk__in=ids), gone, by=by)
    before = Company.objects.filter(merged_into__in=ids)
    update_and_record("company.absorbed", before, {"merged_into": survivor.pk}, by=by)


def _domains(survivor: Company, others: list[Company], chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return the domains of all, the chosen or else the survivor's as the primary one."""
    found = [domain for company in (survivor, *others) for domain in company.domains]
    primary = chosen.get("domain") or survivor.domain or next(iter(found), "")
    rest = [domain for domain in dict.fromkeys(found) if domain not in Company(domain=primary).domains]
    return {"domain": primary, "other_domains": ", ".join(rest)}


def _parent(survivor: Company, others: list[Company], chosen: Mapping[str, Any]) -> int | None:
    """Return the survivor's parent: not in the group, and not below the survivor."""
    group = {survivor.pk, *(company.pk for company in others)}
    wanted = [chosen.get("parent"), survivor.parent_id, *(company.parent_id for company in others)]
    return next((pk for pk in wanted if pk and not group & chain(Company, "parent", pk)), None)
