"""Import of contacts: matched, then created or changed, moved and recorded, batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from contacts.address_fields import ADDED
from contacts.domains import companies_of_emails
from contacts.imports import companies, managers, parsers
from contacts.imports.addresses import gathered
from contacts.imports.changing import change_each, is_status_suppressed
from contacts.imports.creating import create_each
from contacts.imports.matching import Match, match
from contacts.imports.names import ELSEWHERE
from contacts.models import Contact
from crm.entities.schema import schema
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.sql import next_ids
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.mapping import MappedColumn, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, DerivedChanges, IncomingRow, Refused, relations, tell_written
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun, OnMatch

SUPPRESSED = _("Row {row}: status not changed because the address is suppressed.")
NAMES = {"name", "first_name", "last_name", "email"}


class ContactImporter:
    """Importer of contacts with companies, managers, stages and related records of upper apps."""

    entity = "contact"
    also = frozenset({"lifecycle_stage", "lifecycle_stage_since", "created_at", *ADDED})
    elsewhere = ELSEWHERE
    lede = _(
        "One row per contact. Existing contacts are matched by external ID, then by any of their emails. "
        "Companies are matched by name. A new contact without one gets the company of its email’s domain."
    )

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        self.run, self.mapping, self.scratch, self.by = run, mapping, scratch, by
        self.required = {f"custom.{f.key}": f.label for f in schema("contact") if f.required and f.custom}
        self.written_after = {link: r.write for link, r in relations("contact").items() if r.write}
        self.creating = {link: r.creating for link, r in relations("contact").items() if r.creating}

    def prepare(self, sheet: Sheet) -> None:
        """Scan for managers, who may come after their reports in the file."""
        if self.mapping.feed("manager"):
            managers.MANAGERS.mention(sheet, self.mapping, self.scratch)

    def parser(self, feed: MappedColumn) -> Callable[[str], Any]:
        relation = relations("contact").get(feed.link)
        return ((relation and relation.parser) or parsers.parser)(feed, self.by)

    def notes(self) -> list[str]:
        """Warn about a missing stage column (source 000: every contact becomes a lead, and the funnel is wrong)."""
        note = gettext("No stage column – new contacts start as Lead.")
        stages = [] if self.mapping.feed("lifecycle_stage") else [note]
        mapped = {feed.link for feed in self.mapping.feeds}
        return stages + [str(r.note) for link, r in relations("contact").items() if r.note and link in mapped]

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        matches, refused = match(rows, self.scratch, self.by)
        for found in matches:
            if found.contact is None:
                found.row.own = gathered(found.row.own)
        refused |= self._incomplete(matches) | managers.unknown(matches, self.scratch, self.by)
        said = companies.CompanyRows(self.scratch)
        if not refused:
            refused = companies.resolve(matches, self.run.on_match, self.by, said)
        if refused:
            return BatchResult(refused=refused)
        fresh = [found for found in matches if found.contact is None]
        there = [found for found in matches if found.contact is not None and self.run.on_match != OnMatch.SKIP]
        derived = DerivedChanges()
        made = self._create(fresh, derived)
        changed, refused = change_each(there, self.run, self.by)
        known = [(found.contact.pk, found.row) for found in there if found.contact]
        related, no = self._relate(known)
        staged = [found.contact for found in there if found.contact and self._tells_stage(found)]
        derived.join(tell_written("contact", staged, self.run, self.by))
        changed |= related | said.changed | {row.line for _, row in made}
        changed |= {row.line for pk, row in known if pk in derived.contacts}
        refused |= no
        self._link_later([*made, *known], changed)
        unchanged = len(matches) - len(changed)
        counts = derived.counts + said.counts
        held = [found.row.line for found in there if is_status_suppressed(found)]
        notes = [SUPPRESSED.format(row=formats.number(line)) for line in held]
        return BatchResult(len(made), len(changed) - len(made), unchanged, refused, counts, said.notes + notes)

    def _create(self, fresh: Sequence[Match], derived: DerivedChanges) -> list[tuple[int, IncomingRow]]:
        """Create a contact per row, passing related values to reactions. Return (key, row) pairs."""
        if not fresh:
            return []
        ids = next_ids(Contact, len(fresh))
        with ExitStack() as around:
            for link, creating in self.creating.items():
                related = {pk: found.row.related.get(link, {}) for pk, found in zip(ids, fresh, strict=True)}
                around.enter_context(creating(related, self.run, derived))
            self._place(fresh)
            create_each(fresh, self.by, ids=ids)
        return list(zip(ids, (found.row for found in fresh), strict=True))

    def _place(self, fresh: Sequence[Match]) -> None:
        """Set the company of rows without one by the domain of their email."""
        without = [found for found in fresh if found.company is None and found.row.own.get("email")]
        companies_by_email = companies_of_emails([found.row.own["email"] for found in without], self.by)
        for found in without:
            found.company = companies_by_email.get(found.row.own["email"])

    def _tells_stage(self, found: Match) -> bool:
        return self.run.on_match == OnMatch.UPDATE and "lifecycle_stage" in found.row.own

    def finish(self) -> Iterator[BatchResult]:
        """Link contacts to their managers, now that all exist."""
        yield from managers.MANAGERS.link(self.scratch, self.run.on_match, self.by)

    def _incomplete(self, matches: Sequence[Match]) -> Refused:
        refused: Refused = {}
        for own, line in ((found.row.own, found.row.line) for found in matches if found.contact is None):
            missing = next((label for key, label in self.required.items() if key not in own), "")
            if missing:
                refused[line] = (missing, gettext("{field} is required.").format(field=missing))
            if not own.keys() & NAMES:
                refused[line] = ("", str(Contact.NAMELESS))
        return refused

    def _relate(self, pairs: Sequence[tuple[int, IncomingRow]]) -> tuple[set[int], Refused]:
        changed: set[int] = set()
        refused: Refused = {}
        for link, write in self.written_after.items():
            if own := [(pk, row) for pk, row in pairs if row.related.get(link)]:
                lines, no = write(own, self.run, self.by)
                changed |= lines
                refused |= no
        return changed, refused

    def _link_later(self, pairs: Sequence[tuple[int, IncomingRow]], changed: set[int]) -> None:
        for pk, row in pairs:
            if "manager" in row.own:
                self.scratch.link_later(row.line, pk, row.own["manager"], row.line in changed)
