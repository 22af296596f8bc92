"""Import of opportunities: matched, created or changed, and moved at the file's dates."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contacts.imports import companies
from contacts.imports.matching import Match as CompanyMatch
from contacts.imports.past_dates import backdate_contacts
from crm.kit.actor import Actor
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.mapping import MappedColumn, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, DerivedChanges, IncomingRow, tell_written
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun, OnMatch
from crm.opportunities.imports import outcomes, parsers
from crm.opportunities.imports.matching import OpportunityMatch, match_opportunities
from crm.opportunities.imports.writing import change_each, create_each
from crm.opportunities.models import StageKind
from crm.opportunities.pipelines import first_stage, label_of


class OpportunityImporter:
    """Importer of opportunities for existing contacts, with companies."""

    entity = "opportunity"
    also = frozenset({"pipeline", "stage", "won_at", "lost_at", "lost_reason", "created_at"})
    elsewhere = {
        "external_id": ("ID", "Deal ID", "Opportunity ID", "Record ID"),  # not a text
        "name": ("Deal name", "Opportunity name", "Deal"),  # not a text
        "contact": ("Contact ID", "Contact email", "E-mail", "Email", "Associated contact"),  # not a text
        "company": ("Company name", "Account", "Account name", "Organisation"),  # not a text
        "pipeline": ("Deal pipeline", "Pipeline name"),  # not a text
        "stage": ("Deal stage", "Pipeline stage", "Status"),  # not a text
        "amount": ("Value", "Deal value", "Deal amount"),  # not a text
        "close_date": ("Closing date", "Expected close date"),  # not a text
        "owner": ("Deal owner", "Opportunity owner", "Owner email"),  # not a text
        "won_at": ("Won date", "Won time"),  # not a text
        "lost_at": ("Lost date", "Lost time"),  # not a text
        "created_at": ("Create date", "Created date", "Created on", "Date created"),  # not a text
    }
    lede = _(
        "One row per opportunity. The contact must already exist and is matched by ID or email; a company is enough. "
        "Existing opportunities are matched by external ID, then by contact or company and name."
    )

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        self.run, self.mapping, self.scratch, self.by = run, mapping, scratch, by

    def prepare(self, sheet: Sheet) -> None:
        """Scan for contacts with any opportunity that is not lost: they are not lost either."""
        outcomes.mention(sheet, self.mapping, self.scratch)

    def parser(self, feed: MappedColumn) -> Callable[[str], Any]:
        return parsers.parser(feed, self.by)

    def notes(self) -> list[str]:
        """Warn about missing stage and closing columns: all opportunities would be new."""
        says_stage = any(self.mapping.feed(key) for key in ("stage", "won_at", "lost_at"))
        if says_stage:
            return []
        stage = label_of(first_stage(StageKind.OPEN))
        return [gettext("No stage column – new opportunities start at {stage}.").format(stage=stage)]

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        matches, refused = match_opportunities(rows, self.scratch, self.by)
        said = companies.CompanyRows(self.scratch)
        places = [CompanyMatch(found.row, None) for found in matches if self._takes_company(found)]
        if not refused:
            refused = companies.resolve(places, self.run.on_match, self.by, said)
        if refused:
            return BatchResult(refused=refused)
        named = {place.row.line: place.company for place in places if place.company}
        fresh = [found for found in matches if found.opportunity is None]
        there = [found for found in matches if found.opportunity and self.run.on_match != OnMatch.SKIP]
        create_each(fresh, named, self.run, self.by)
        changed, refused = change_each(there, named, self.run, self.by)
        rows_found = [*fresh, *there]
        moved = [found for found in rows_found if found.row.line in changed or found in fresh]
        derived = self._derive(rows_found, moved)
        whose = {found.row.line: found.opportunity.contact_id for found in there if found.opportunity}
        followed = {line for line, contact in whose.items() if contact in derived.contacts}
        changed |= followed | (said.changed - {found.row.line for found in fresh})
        unchanged = len(matches) - len(fresh) - len(changed)
        counts = derived.counts + said.counts
        return BatchResult(len(fresh), len(changed), unchanged, refused, counts, said.notes)

    def _derive(self, told: Sequence[OpportunityMatch], moved: Sequence[OpportunityMatch]) -> DerivedChanges:
        """Update contacts and their leads, also of earlier rows, which may still be due."""
        derived = DerivedChanges()
        backdated = backdate_contacts(outcomes.past_dates_by_contact(told), self.by) if told else ()
        derived.add(gettext("Contacts backdated"), backdated)
        # Before contacts move: a lost contact loses its open lead, which here became an opportunity.
        derived.join(tell_written("opportunity", [found.opportunity for found in told], self.run, self.by))
        derived.join(outcomes.move_contacts(moved, self.run, self.scratch, self.by))
        return derived

    def finish(self) -> Iterator[BatchResult]:
        return iter(())

    def _takes_company(self, found) -> bool:
        there = found.opportunity
        skipped = there and self.run.on_match == OnMatch.SKIP
        return not (skipped or (there and self.run.on_match == OnMatch.FILL and there.company_id))
