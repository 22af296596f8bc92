"""Import of companies: matched, then created or changed, and linked to their parents at the end."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contacts.domains import owners_of_domains
from contacts.free_mail import free_mail_domains
from contacts.imports import parents
from contacts.imports.company_matching import CompanyMatch, match_companies
from contacts.imports.company_names import ELSEWHERE
from contacts.imports.parsers import LONGEST_NAME, past, plain
from contacts.models import Company
from crm.entities.schema import schema
from crm.kit.actor import Actor
from crm.kit.text import domain_key
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import MappedColumn, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, IncomingRow, Refused
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun, OnMatch
from crm.records.imports import RecordImporter, to_change
from crm.records.writing import apply_each, build, insert_records
from crm.users.visibility import may_edit

NOT_YOURS = _("View only – this company belongs to someone else.")
LATER = {"parent"}  # not written with the row
ONCE = {"created_at"}  # not changed
# Sites where companies have a page instead of a domain.
NOT_THEIRS = {
    "facebook.com",
    "instagram.com",
    "linkedin.com",
    "sites.google.com",
    "twitter.com",
    "x.com",
    "youtube.com",
}


class CompanyImporter(RecordImporter):
    """Importer of companies with their parents."""

    entity = "company"
    also = frozenset({"created_at"})
    elsewhere = ELSEWHERE
    lede = _(
        "One row per company. Existing companies are matched by external ID, then by domain, then by name. A parent "
        "company can come later in the file."
    )

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        super().__init__(run, mapping, scratch, by)
        self.mapping = mapping
        self.required = {f"custom.{f.key}": f.label for f in schema("company") if f.required and f.custom}

    def prepare(self, sheet: Sheet) -> None:
        """Scan for parents, who may come after their subsidiaries in the file."""
        if self.mapping.feed("parent"):
            parents.PARENTS.mention(sheet, self.mapping, self.scratch)

    def parser(self, feed: MappedColumn) -> Callable[[str], Any]:
        if feed.path.key == "created_at":
            return remembered(past)
        if feed.path.key == "parent":
            return plain(feed.path.field, LONGEST_NAME)
        return super().parser(feed)

    def notes(self) -> list[str]:
        """Say where domains come from if the file has none."""
        if self.mapping.feed("domain") or not self.mapping.feed("website"):
            return []
        return [gettext("No domain column – new companies get the domain of their website.")]

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        matches, refused = match_companies(rows, self.scratch, self.by)
        refused |= self._incomplete(matches) | parents.unknown(matches, self.scratch, self.by)
        there = [(m.company, m.row) for m in matches if m.company and self.run.on_match != OnMatch.SKIP]
        changed = [(company, row, values) for company, row in there if (values := self._changes(company, row))]
        refused |= {row.line: ("", str(NOT_YOURS)) for company, row, _ in changed if not may_edit(company, self.by)}
        if refused:
            return BatchResult(refused=refused)
        apply_each([(company, values) for company, _, values in changed], by=self.by)
        made = self._create([found.row for found in matches if found.company is None])
        written = {row.line for _, row, _ in changed} | {row.line for _, row in made}
        for pk, row in (*made, *((company.pk, row) for company, row in there)):
            if "parent" in row.own:
                self.scratch.link_later(row.line, pk, row.own["parent"], row.line in written)
        return BatchResult(len(made), len(changed), len(matches) - len(written))

    def finish(self) -> Iterator[BatchResult]:
        """Link companies to their parents, now that all exist."""
        yield from parents.PARENTS.link(self.scratch, self.run.on_match, self.by)

    def _incomplete(self, matches: Sequence[CompanyMatch]) -> Refused:
        refused: Refused = {}
        for own, line in ((found.row.own, found.row.line) for found in matches if found.company is None):
            missing = next((label for key, label in self.required.items() if key not in own), "")
            if missing:
                refused[line] = (missing, gettext("{field} is required.").format(field=missing))
            if not own.get("name"):
                refused[line] = ("", str(Company.NAMELESS))
        return refused

    def _changes(self, company: Company, row: IncomingRow) -> dict[str, Any]:
        said = {key: value for key, value in row.own.items() if key not in LATER | ONCE}
        return to_change(company, said, self.run.on_match)

    def _create(self, rows: Sequence[IncomingRow]) -> list[tuple[int, IncomingRow]]:
        domains = {} if self.mapping.feed("domain") else _domains_of_websites(rows)
        values = [domains.get(row.line, {}) | {key: row.own[key] for key in row.own.keys() - LATER} for row in rows]
        made = [build(Company, each, self.by) for each in values]
        ids = insert_records(made, "company.created", by=self.by, verb="import")
        self.scratch.use({f"made {pk}": row.line for pk, row in zip(ids, rows, strict=True)})
        return list(zip(ids, rows, strict=True))


def _domains_of_websites(rows: Sequence[IncomingRow]) -> dict[int, dict[str, str]]:
    """Return the domains of new companies by line, without those of earlier rows, other companies and shared sites."""
    hosts = {row.line: domain_key(row.own.get("website", "")) for row in rows}
    taken = {"", *NOT_THEIRS, *free_mail_domains(), *owners_of_domains({*hosts.values()})}
    found = {}
    for line, host in hosts.items():
        if host not in taken:
            found[line] = {"domain": host}
            taken.add(host)
    return found
