"""Companies in rows: matched by name, created if missing, updated from the file."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from audit.record import record
from contacts.domains import companies_of_domains
from contacts.entities import COMPANY
from contacts.imports.matching import Match
from contacts.models import Company
from crm.entities.values import public_id_in
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.sql import as_stored, insert_rows, next_ids
from crm.kit.text import fold, search_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.registry import Refused
from crm.lists.imports.scratch import Scratch
from crm.lists.models import OnMatch
from crm.records.imports import to_change
from crm.records.writing import apply_each, build, snapshot_fields
from crm.users.visibility import may_edit

NAMELESS = _("Company columns are filled in, but the company name is missing.")
NOT_YOURS = _("View only – this company belongs to someone else.")
LONGEST = 200  # of a name's key
COLUMNS = tuple(f.attname for f in Company._meta.concrete_fields if f.name != "workspace")

as_row = attrgetter(*COLUMNS)


@dataclass
class CompanyRows:
    """Company values in a file, and the results.

    The first value in the file wins: `notes` name the rows that differ. `changed` are the lines that changed their
    company; `counts` the created and changed companies, by label.
    """

    scratch: Scratch
    counts: Counter[str] = field(default_factory=Counter)
    changed: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def first(self, line: int, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values for company `name` that no earlier row contradicts."""
        keys = {f"{_key(name)} {key}": key for key in said}
        if not keys:
            return {}
        first = self.scratch.first_said({place: _text(said[key]) for place, key in keys.items()})
        agreeing = {key: said[key] for place, key in keys.items() if first[place] == _text(said[key])}
        for place, key in keys.items():
            if key not in agreeing:
                label = COMPANY.fields[key].label if key in COMPANY.fields else key.rpartition(".")[2]
                note = gettext(
                    "Row {row}: {field} of {company} is “{value}”, but “{first}” in an earlier row. The first was kept."
                )
                facts = {"field": label, "company": name, "value": _text(said[key]), "first": first[place]}
                self.notes.append(note.format(row=formats.number(line), **facts))
        return agreeing

    def note(self, lines: Iterable[int], *, made: int, changed: int) -> None:
        self.changed |= set(lines)
        self.counts += Counter({gettext("Companies created"): made, gettext("Companies updated"): changed})


def resolve(matches: Sequence[Match], on_match: str, by: Actor, said: CompanyRows | None = None) -> Refused:
    """Find or create each row's company, and write the rows' company values."""
    refused: Refused = {}
    takers = [match for match in matches if _takes(match, on_match, refused)]
    keys = {name: _key(name) for name in {match.row.own["company"] for match in takers}}
    known = _known(keys, by)
    _find_by_domain(takers, known, by)
    fresh: dict[str, dict[str, Any]] = {}
    changes: defaultdict[Company, dict[str, Any]] = defaultdict(dict)
    lines: list[int] = []
    for match in takers:
        line, name, values = match.row.line, match.row.own["company"], match.row.related.get("company", {})
        values = said.first(line, name, values) if said else values
        found = _written_so(known[keys[name]], name)
        if len(found) > 1:
            sentence = gettext("Several companies are named “{name}”. Use the record ID instead ({prefix}_…).")
            refused[match.row.line] = ("", sentence.format(name=name, prefix=COMPANY.prefix))
        elif not found and public_id_in(COMPANY, name):
            refused[match.row.line] = ("", gettext("No company named “{name}”.").format(name=name))
        elif not found:
            fresh[keys[name]] = {"name": name} | values | fresh.get(keys[name], {})
        elif (differing := to_change(found[0], values, on_match)) and not may_edit(found[0], by):
            refused[match.row.line] = ("", str(NOT_YOURS))
        else:
            changes[found[0]] = differing | changes[found[0]]
            lines += [line] * bool(differing)
    if not refused:
        known |= {key: [company] for key, company in _make(fresh, by).items()}
        apply_each([(company, values) for company, values in changes.items() if values], by=by)
        if said:
            said.note(lines, made=len(fresh), changed=sum(map(bool, changes.values())))
        for match in takers:
            name = match.row.own["company"]
            match.company = _written_so(known[keys[name]], name)[0]
    return refused


def _text(value: Any) -> str:
    return str(getattr(value, "pk", value))


def _takes(match: Match, on_match: str, refused: Refused) -> bool:
    own, contact = match.row.own, match.contact
    if contact and (on_match == OnMatch.SKIP or (on_match == OnMatch.FILL and contact.company_id)):
        return False
    if "company" not in own and match.row.related.get("company"):
        refused[match.row.line] = ("", str(NAMELESS))
    return "company" in own


def _known(names: Iterable[str], by: Actor) -> defaultdict[str, list[Company]]:
    """Return the companies visible to `by` with these names, ignoring case, or these public ids."""
    rows = Company.objects.live().visible_to(by)
    ids = {public_id: name for name in names if (public_id := public_id_in(COMPANY, name))}
    named = rows.filter(name_key__any_of={_key(name) for name in names}).order_by("pk") if names else ()
    found: defaultdict[str, list[Company]] = defaultdict(list)
    for company in named:
        found[company.name_key].append(company)
    for company in rows.filter(public_id__any_of=ids) if ids else ():
        found[_key(ids[company.public_id])] = [company]
    return found


def _find_by_domain(matches: Iterable[Match], known: dict[str, list[Company]], by: Actor) -> None:
    """Find the companies of unknown or ambiguous names by the rows' domain, which only one company can have."""
    told = ((_key(m.row.own["company"]), m.row.related.get("company", {}).get("domain")) for m in matches)
    domains = {key: domain for key, domain in told if domain and len(known[key]) != 1}
    owners = companies_of_domains(set(domains.values()), by)
    known |= {key: [owners[domain]] for key, domain in domains.items() if domain in owners}


def _key(name: str) -> str:
    return search_key(name)[:LONGEST]


def _written_so(companies: list[Company], name: str) -> list[Company]:
    """Prefer the exactly spelled company among those whose names differ only in accents and marks."""
    exact = [company for company in companies if fold(company.name) == fold(name)]
    return exact if len(companies) > 1 and len(exact) == 1 else companies


def _make(fresh: dict[str, dict[str, Any]], by: Actor) -> dict[str, Company]:
    if not fresh:
        return {}
    made = {key: build(Company, values, by) for key, values in fresh.items()}
    for company, pk in zip(made.values(), next_ids(Company, len(made)), strict=True):
        company.pk = pk
    insert_rows(Company, COLUMNS, (tuple(map(as_stored, as_row(company))) for company in made.values()))
    Company.derived(made.values(), Company.MADE_OF - {"name"})
    rows = Company.objects.filter(pk__any_of=[company.pk for company in made.values()])
    record("company.created", rows, by=by, snapshot=snapshot_fields(Company))
    return made
