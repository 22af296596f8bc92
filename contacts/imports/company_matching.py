"""Matching of rows to companies outside the trash: by external ID, then by domain, then by name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contacts.domains import owners_of_domains
from contacts.models import Company
from crm.kit.actor import Actor
from crm.kit.text import search_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import IncomingRow, Refused
from crm.lists.imports.repeats import without_repeats
from crm.lists.imports.scratch import Scratch

UNSEEN = _("The external ID or domain belongs to a company that you can’t see.")
LONGEST = 200  # of a name's key


@dataclass(slots=True)
class CompanyMatch:
    """A row, and its locked company (None: new)."""

    row: IncomingRow
    company: Company | None


class _Keys(NamedTuple):
    external_id: str
    domains: list[str]
    name: str

    def of_file(self) -> list[str]:
        """Return the keys that only one row of a file may have; a name counts if there is nothing better."""
        found = [*([f"id {self.external_id}"] if self.external_id else ()), *map("domain {}".format, self.domains)]
        return found or ([f"name {self.name}"] if self.name else [])


def _keys_of(row: IncomingRow) -> _Keys:
    told = Company(domain=row.own.get("domain", ""), other_domains=row.own.get("other_domains", ""))
    return _Keys(row.own.get("external_id", ""), told.domains, name_key(row.own.get("name", "")))


def name_key(name: str) -> str:
    return search_key(name)[:LONGEST]


def match_companies(rows: Sequence[IncomingRow], scratch: Scratch, by: Actor) -> tuple[list[CompanyMatch], Refused]:
    """Return the rows' companies, and rejected rows: ambiguous or hidden ones, and repeats of a company.

    Names are shared, so a company with another external ID or domain is another one, as is one from this file.
    """
    keys = {row.line: _keys_of(row) for row in rows}
    known = _Known(keys.values(), scratch, by)
    matches, refused = [], {}
    for row in rows:
        company, why = known.company_of(keys[row.line])
        if why:
            refused[row.line] = ("", why)
        else:
            matches.append(CompanyMatch(row, company))

    def own_keys(found: CompanyMatch) -> list[str]:
        return keys[found.row.line].of_file() + ([f"company {found.company.pk}"] if found.company else [])

    return without_repeats(matches, own_keys, scratch, refused), refused


class _Known:
    """The companies that the keys of some rows could mean, locked."""

    def __init__(self, keys: Iterable[_Keys], scratch: Scratch, by: Actor) -> None:
        keys = list(keys)
        self.by_id = companies_of_ids({each.external_id for each in keys} - {""})
        self.by_domain = owners_of_domains({domain for each in keys for domain in each.domains})
        named = companies_of_names({each.name for each in keys} - {""}, by)
        made = scratch.used(f"made {pk}" for pks in named.values() for pk in pks)
        self.by_name = {name: [pk for pk in pks if f"made {pk}" not in made] for name, pks in named.items()}
        ids = {*self.by_id.values(), *self.by_domain.values(), *(pk for pks in self.by_name.values() for pk in pks)}
        rows = Company.objects.filter(pk__any_of=ids).order_by("pk").select_for_update(of=("self",)) if ids else ()
        self.companies = {company.pk: company for company in rows}
        self.seen = set(Company.objects.visible_to(by).filter(pk__any_of=ids).values_list("pk", flat=True))

    def company_of(self, keys: _Keys) -> tuple[Company | None, str]:
        """Return the company, or why the row is rejected."""
        found = {self.by_id[keys.external_id]} if keys.external_id in self.by_id else set()
        found |= {self.by_domain[domain] for domain in keys.domains if domain in self.by_domain}
        if found - self.seen:
            return None, str(UNSEEN)
        if len(found) > 1:
            first, second, *_rest = (self.companies[pk] for pk in sorted(found))
            sentence = gettext("The external ID and domains match different companies: {first} and {second}.")
            return None, sentence.format(first=first, second=second)
        if not found:
            return self._named(keys)
        return self.companies[found.pop()], ""

    def _named(self, keys: _Keys) -> tuple[Company | None, str]:
        alike = [self.companies[pk] for pk in self.by_name.get(keys.name, ())]
        alike = [company for company in alike if not _differs(company, keys)]
        if len(alike) > 1:
            sentence = gettext("Several companies are named “{name}”. Add a domain or an external ID.")
            return None, sentence.format(name=alike[0])
        return (alike[0] if alike else None), ""


def _differs(company: Company, keys: _Keys) -> bool:
    return bool((company.external_id and keys.external_id) or (company.domains and keys.domains))


def companies_of_ids(external_ids: set[str]) -> dict[str, int]:
    """Map external IDs to companies outside the trash: their own, or a duplicate's that was merged into them."""
    if not external_ids:
        return {}
    rows = Company.objects.filter(external_id__any_of=external_ids)
    merged = rows.filter(deleted_at__isnull=False, merged_into__deleted_at__isnull=True)
    found = dict(merged.filter(merged_into__isnull=False).values_list("external_id", "merged_into"))
    return found | dict(rows.live().values_list("external_id", "pk"))


def companies_of_names(names: set[str], by: Actor) -> dict[str, list[int]]:
    """Map name keys to the companies that the actor sees."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    rows = Company.objects.live().visible_to(by).filter(name_key__any_of=names).order_by("pk") if names else None
    for name, pk in rows.values_list("name_key", "pk") if rows is not None else ():
        found[name].append(pk)
    return found
