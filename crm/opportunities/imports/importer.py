"""How rows of a file become opportunities: matched, made or changed, and moved at the times that the file says."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contacts.imports import companies
from contacts.imports.matching import Match as CompanyMatch
from crm.kit.actor import Actor
from crm.lists.imports.mapping import Feed, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import Incoming, Written, tell_written
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun, OnMatch
from crm.opportunities.imports import outcomes, parsers
from crm.opportunities.imports.changing import change_each
from crm.opportunities.imports.creating import create_each
from crm.opportunities.imports.matching import match


class OpportunityImporter:
    """Imports opportunities of contacts that are there, with the companies that rows name."""

    entity = "opportunity"
    also = frozenset({"stage", "won_at", "lost_at", "lost_reason", "created_at"})
    elsewhere = {
        "external_id": ("ID", "Deal ID", "Opportunity ID", "Record ID"),
        "name": ("Deal name", "Opportunity name", "Deal"),
        "contact": ("Contact ID", "Contact email", "E-mail", "Email", "Associated contact"),
        "company": ("Company name", "Account", "Account name", "Organisation"),
        "stage": ("Deal stage", "Pipeline stage", "Status"),
        "amount": ("Value", "Deal value", "Deal amount"),
        "close_date": ("Closing date", "Expected close date"),
        "owner": ("Deal owner", "Opportunity owner", "Owner email"),
        "won_at": ("Won date", "Won time"),
        "lost_at": ("Lost date", "Lost time"),
        "created_at": ("Create date", "Created date", "Created on", "Date created"),
    }
    lede = (
        "One row is one opportunity of a contact who is there, named by external ID, e-mail or name. Opportunities "
        "that are there already are found by external ID."
    )

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        self.run, self.mapping, self.scratch, self.by = run, mapping, scratch, by

    def prepare(self, sheet: Sheet) -> None:
        """Whoever has anything but lost opportunities in the file, further down too, is not lost."""
        outcomes.mention(sheet, self.mapping, self.scratch)

    def parser(self, feed: Feed) -> Callable[[str], Any]:
        """How the cells of a column are read."""
        return parsers.parser(feed, self.by)

    def notes(self) -> list[str]:
        """Without a stage or a date of winning everything is new."""
        told = any(self.mapping.feed(key) for key in ("stage", "won_at", "lost_at"))
        return [] if told else ["No stage column: all new opportunities are at Prospecting."]

    def write(self, rows: Sequence[Incoming]) -> Written:
        """Write some rows. When it refuses one, nothing of what it did may stand."""
        matches, refused = match(rows, self.scratch, self.by)
        places = [CompanyMatch(found.row, None) for found in matches if self._takes_company(found)]
        if not refused:
            refused = companies.resolve(places, self.run.on_match, self.by)
        if refused:
            return Written(refused=refused)
        named = {place.row.line: place.company for place in places if place.company}
        fresh = [found for found in matches if found.opportunity is None]
        there = [found for found in matches if found.opportunity and self.run.on_match != OnMatch.SKIP]
        create_each(fresh, named, self.run, self.by)
        changed, refused = change_each(there, named, self.run, self.by)
        moved = [found for found in (*fresh, *there) if found.row.line in changed or found in fresh]
        # Before their contacts move: a lost contact loses its open lead, which here has become an opportunity.
        tell_written("opportunity", [found.opportunity for found in moved], self.run, self.by)
        outcomes.move_contacts(moved, self.run, self.scratch, self.by)
        return Written(len(fresh), len(changed), len(matches) - len(fresh) - len(changed), refused)

    def finish(self) -> Iterator[Written]:
        """Nothing is left for the end."""
        return iter(())

    def _takes_company(self, found) -> bool:
        there = found.opportunity
        skipped = there and self.run.on_match == OnMatch.SKIP
        return not (skipped or (there and self.run.on_match == OnMatch.FILL and there.company_id))
