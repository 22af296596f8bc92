"""Managers and parent companies in imports: linked at the end, because they may come after their reports."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from django.db import connection

from contacts.hierarchy import circles
from crm.kit.actor import Actor
from crm.lists.formulas import unescape
from crm.lists.imports.mapping import Mapping as Columns
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult
from crm.lists.imports.scratch import Scratch
from crm.lists.models import OnMatch
from crm.records.models import Record, with_sources
from crm.records.writing import apply_each
from crm.users.visibility import may_edit

Pending = tuple[int, int, str, bool]  # line, record, what it links to, whether the row changed more


@dataclass(frozen=True)
class LinkAbove:
    """The link `field` of `model` to a record above.

    `keys` are those of the values that name a record, by column, as mentioned in the file. `find(texts, by)` returns
    the records that texts name. The sentences are notes on rows whose link isn't set: unless the text names one record,
    if it closes a circle, if `by` may not change the record.
    """

    model: type[Record]
    field: str
    keys: Mapping[str, Callable[[str], str]]
    find: Callable[[set[str], Actor], Mapping[str, set[int]]]
    unresolved: str
    circle: str
    locked: str
    lock_first: Callable[[], None] = lambda: None
    batch: Mapping[str, int] | None = None

    def mention(self, sheet: Sheet, columns: Columns, scratch: Scratch) -> None:
        """Note every value of the file that names a record."""
        feeds = [(feed.column, key) for path, key in self.keys.items() if (feed := columns.feed(path))]
        for row in sheet.rows():
            if not row.problem:
                scratch.mention(key(unescape(row.cells[column]).strip()) for column, key in feeds if row.cells[column])
        scratch.commit()

    def link(self, scratch: Scratch, on_match: str, by: Actor) -> Iterator[BatchResult]:
        """Link the records in batches, each in a transaction of the caller's."""
        pending, size = scratch.pending(), self.batch[connection.vendor] if self.batch else 1_000
        while batch := list(islice(pending, size)):
            yield self._link(batch, on_match, by)

    def _link(self, batch: list[Pending], on_match: str, by: Actor) -> BatchResult:
        self.lock_first()
        found, written = self.find({text for _, _, text, _ in batch}, by), BatchResult()
        rows = self.model.objects.live().filter(pk__in=[pk for _, pk, _, _ in batch])
        rows = with_sources(rows).order_by("pk").select_for_update(of=("self",))
        records, links, lines = {record.pk: record for record in rows}, dict[int, int | None](), {}
        for line, pk, text, changed in batch:
            if len(found[text]) != 1:
                written.refused[line] = ("", self.unresolved.format(name=text))
            elif pk in records and self._differs(records[pk], above := next(iter(found[text])), on_match):
                links[pk], lines[pk] = above, (line, changed)
        closing = circles(self.model, self.field, links)
        for pk in closing | {pk for pk in links if not may_edit(records[pk], by)}:
            written.refused[lines[pk][0]] = ("", str(self.circle if pk in closing else self.locked))
            del links[pk]
        apply_each([(records[pk], {self.field: above}) for pk, above in links.items()], by=by)
        written.updated = sum(1 for pk in links if not lines[pk][1])
        written.unchanged = -written.updated
        return written

    def _differs(self, record: Record, above: int, on_match: str) -> bool:
        now = getattr(record, f"{self.field}_id")
        return now != above and not (on_match == OnMatch.FILL and now)
