"""Import of simple record types, matched by external ID."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from audit import values as audited
from crm.entities.registry import entity_of, get
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.translation import gettext
from crm.kit.translation import gettext_lazy as _
from crm.lists.imports.cells import remembered
from crm.lists.imports.mapping import MappedColumn, Mapping
from crm.lists.imports.reading import Sheet
from crm.lists.imports.registry import BatchResult, IncomingRow, Refused
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRun, OnMatch
from crm.records.models import Record
from crm.records.validation import check_values, clean, missing
from crm.records.writing import apply_each, build, insert_records
from crm.users.visibility import may_edit, may_see


def to_change(record: Any, said: dict[str, Any], on_match: str) -> dict[str, Any]:
    """Return the row's values that change a record, under the rule for existing records."""
    changes = {}
    for key, value in said.items():
        present = audited.read_value(record, key)
        wanted = present in ("", None, []) if on_match == OnMatch.FILL else on_match == OnMatch.UPDATE
        if wanted and present != getattr(value, "pk", value):
            changes[key] = value
    return changes


class RecordImporter:
    """Importer of one record type, set in a subclass by importer_of()."""

    entity = ""
    also: frozenset[str] = frozenset()
    elsewhere: dict[str, tuple[str, ...]] = {}
    lede = _("One row per record. Existing records are matched by external ID.")

    def __init__(self, run: ImportRun, mapping: Mapping, scratch: Scratch, by: Actor) -> None:
        self.run, self.scratch, self.by = run, scratch, by
        self.model: type[Record] = get(self.entity).model

    def prepare(self, sheet: Sheet) -> None:
        """Do nothing: rows are independent."""

    def parser(self, feed: MappedColumn) -> Callable[[str], Any]:
        """Return a column's parser: the form's."""
        return remembered(lambda text: clean(feed.link or self.entity, feed.path.field, text.strip(), self.by))

    def notes(self) -> list[str]:
        return []

    def write(self, rows: Sequence[IncomingRow]) -> BatchResult:
        there = self._there(rows)
        refused = self._twice(rows) | self._not_theirs(rows, there) | self._nameless(rows, there)
        if refused:
            return BatchResult(refused=refused)
        known = [(there[key], row) for row in rows if (key := row.own.get("external_id", "")) in there]
        fresh = [row.own for row in rows if row.own.get("external_id", "") not in there]
        changed = [
            (record, values) for record, row in known if (values := to_change(record, row.own, self.run.on_match))
        ]
        for _record, values in changed:
            check_values(self.entity, values, by=self.by)
        insert_records(
            [build(self.model, own, self.by) for own in fresh], f"{self.entity}.created", by=self.by, verb="import"
        )
        apply_each(changed, by=self.by)
        return BatchResult(len(fresh), len(changed), len(rows) - len(fresh) - len(changed))

    def finish(self) -> Iterator[BatchResult]:
        return iter(())

    def _there(self, rows: Sequence[IncomingRow]) -> dict[str, Record]:
        """Return the rows' live records, locked, by external ID."""
        ids = [row.own["external_id"] for row in rows if row.own.get("external_id")]
        found = self.model.objects.live().filter(external_id__in=ids).order_by("pk").select_for_update(of=("self",))
        return {record.external_id: record for record in found} if ids else {}

    def _twice(self, rows: Sequence[IncomingRow]) -> Refused:
        """Return rows with the external ID of an earlier one."""
        keys = {row.line: [row.own["external_id"]] for row in rows if row.own.get("external_id")}
        sentence, again = gettext("Row {row} has the same external ID."), self.scratch.repeats(keys).items()
        return {line: ("", sentence.format(row=formats.number(earlier))) for line, earlier in again}

    def _not_theirs(self, rows: Sequence[IncomingRow], there: dict[str, Record]) -> Refused:
        refused: Refused = {}
        for row in rows:
            record = there.get(row.own.get("external_id", ""))
            if record and not may_see(record, self.by):
                refused[row.line] = ("", gettext("The external ID belongs to a record you can’t see."))
            elif record and not may_edit(record, self.by):
                refused[row.line] = ("", gettext("View only – this record belongs to someone else."))
        return refused

    def _nameless(self, rows: Sequence[IncomingRow], there: dict[str, Record]) -> Refused:
        new = [row for row in rows if row.own.get("external_id", "") not in there]
        model = self.model
        nameless = (row for row in new if not any(row.own.get(key) for key in model.NAMED_BY))
        refused = {row.line: ("", str(model.NAMELESS)) for row in nameless}
        for row in new:
            if errors := missing(self.entity, row.own):
                refused[row.line] = next(iter(errors.items()))
        return refused


def importer_of(model: type[Record]) -> type[RecordImporter]:
    return type(f"{model.__name__}Importer", (RecordImporter,), {"entity": entity_of(model)})
