"""Import runs: batch by batch, each one a transaction, each row imported whole or not at all.

Why: docs/decisions/0042-killed-import-leaves-whole-batches.md
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.events.handlers import on_hold
from crm.kit import formats
from crm.kit.actor import Actor, Channel, Role
from crm.kit.errors import DomainError, NotAllowed
from crm.kit.sql import commit_without_waiting, insert_rows
from crm.kit.sqlite import courtesy
from crm.kit.translation import gettext
from crm.lists.imports import registry
from crm.lists.imports.cells import RowError, RowReader
from crm.lists.imports.mapping import Mapping, build_mapping, guess, read_map
from crm.lists.imports.reading import Sheet
from crm.lists.imports.records import UNDECODED, Row
from crm.lists.imports.registry import BatchResult, Importer, IncomingRow, Refused
from crm.lists.imports.scratch import Scratch
from crm.lists.models import ImportRefusal, ImportRun, OnMatch
from crm.users.models import Workspace

# Rows per batch; on SQLite, which has one writer, only the initial size: batch duration decides (RELIABILITY R24).
BATCH = {"postgresql": 10_000, "sqlite": 25}
ATTEMPTS = 3
NOTES = 200  # on single rows

Progress = Callable[[ImportRun], None]


def new_run(
    entity: str,
    file: BinaryIO,
    file_name: str,
    *,
    by: Actor,
    maps: Sequence[str] = (),
    on_match: str = OnMatch.UPDATE,
    override_reason: str = "",
    columns_needed: bool = True,
) -> ImportRun:
    """Return an unsaved run for `file`, mapped by `maps` ("CSV column=field") and by column names.

    Raises Invalid for an invalid file or map (also if no column is mapped, unless `columns_needed` is False),
    NotAllowed for the actor's role.
    """
    check_role(by, override_reason)
    sheet = Sheet(file)
    wanted = guess(entity, sheet.header, [read_map(text, sheet.header) for text in maps])
    mapping = build_mapping(entity, sheet.header, wanted).stored() if wanted or columns_needed else []
    return ImportRun(
        entity=entity,
        member_id=by.member_id,
        file_name=PurePath(file_name).name[:200],
        header=sheet.header,
        mapping=mapping,
        on_match=on_match,
        override_reason=override_reason,
    )


def visible_runs(entity: str, by: Actor) -> QuerySet[ImportRun]:
    """Return the runs visible to the actor: their own, all for managers and admins, none that the command previewed."""
    runs = ImportRun.objects.filter(entity=entity).exclude(state__in=ImportRun.UNWRITTEN, file="")
    return runs if by.is_at_least(Role.MANAGER) else runs.filter(member=by.member_id)


def forget_abandoned() -> None:
    """Delete uploads after a week, imported or not: they contain personal data."""
    old = ImportRun.objects.filter(created_at__lt=timezone.now() - timedelta(days=7))
    for run in old.filter(Q(state__in=ImportRun.UNWRITTEN) | ~Q(file="")):
        run.file.delete(save=False)
        if run.state in ImportRun.UNWRITTEN:
            run.delete()
        else:
            run.save(update_fields=["file"])


def check_role(by: Actor, override_reason: str = "") -> None:
    """Check that the actor may import, with `override_reason` to override stages if given. Raises NotAllowed."""
    if not by.is_at_least(Role.REP):
        raise NotAllowed(gettext("Viewers can’t import files."))
    if override_reason and not by.is_at_least(Role.MANAGER):
        raise NotAllowed(gettext("Only managers can override stages."))


def run_import(
    run: ImportRun,
    file: BinaryIO,
    *,
    by: Actor,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportRun:
    """Import `file` as configured in the saved `run`; its counts, notes and rejections are the report.

    `dry_run` rolls back every batch. Raises Invalid for an unreadable file, NotAllowed for the role. Any early end
    (Ctrl-C, a full disk) leaves whole batches; importing the file again adds the rest.
    """
    check_role(by, run.override_reason)
    by = dataclasses.replace(by, channel=Channel.IMPORT, once=None)  # the run's own state prevents a second start
    with closing(Scratch()) as scratch:
        sheet = Sheet(file)
        mapping = build_mapping(run.entity, sheet.header, run.mapping)
        importer = registry.importer(run.entity)(run, mapping, scratch, by)
        _restart(run, [*_unmapped(mapping), *importer.notes()], by, dry_run)
        try:
            importer.prepare(sheet)
            with on_hold(), closing(sheet.rows()) as rows:
                running = _Running(run, importer, scratch, dry_run, progress)
                running.all(rows, RowReader(mapping, importer))
            run.notes += [*running.notes(), *_passed_over(sheet)]
        except BaseException:
            _end(run, ImportRun.State.READY if dry_run else ImportRun.State.STOPPED, by)
            raise
    _end(run, ImportRun.State.PREVIEWED if dry_run else ImportRun.State.DONE, by)
    return run


def _restart(run: ImportRun, notes: list[str], by: Actor, dry_run: bool) -> None:
    run.refusals.all().delete()
    run.line = run.rows = run.created = run.updated = run.unchanged = run.refused = 0
    run.state = ImportRun.State.TRYING if dry_run else ImportRun.State.RUNNING
    run.notes, run.change, run.seen_at, run.finished_at = list(map(str, notes)), by.change, timezone.now(), None
    run.save()


def _end(run: ImportRun, state: ImportRun.State, by: Actor) -> None:
    run.state, run.finished_at = state, timezone.now()
    run.save(update_fields=["state", "finished_at", "notes"])
    if state in (ImportRun.State.DONE, ImportRun.State.STOPPED):
        registry.tell_end(run, by)


def _passed_over(sheet: Sheet) -> list[str]:
    skipped = gettext("Blank rows skipped: {count}.").format(count=formats.number(sheet.blank))
    return [skipped] if sheet.blank else []


def _unmapped(mapping: Mapping) -> list[str]:
    names = [name or gettext("unnamed column") for name in mapping.ignored]
    return [gettext("Skipped columns: {names}.").format(names=", ".join(names))] if names else []


@dataclasses.dataclass
class _Running:
    run: ImportRun
    importer: Importer
    scratch: Scratch
    dry_run: bool
    progress: Progress | None
    derived: Counter[str] = dataclasses.field(default_factory=Counter)
    told: list[str] = dataclasses.field(default_factory=list)

    def notes(self) -> list[str]:
        """Return the rows' side effects, and the importer's notes."""
        derived = sorted((str(label), count) for label, count in self.derived.items() if count)
        sentence = gettext("{label}: {count}.")
        return [sentence.format(label=label, count=formats.number(count)) for label, count in derived] + self.told

    def all(self, rows: Iterator[Row], cells: RowReader) -> None:
        """Write every row, then the importer's deferred work."""
        pace = courtesy.Pace(BATCH[connection.vendor])
        while batch := list(islice(rows, pace.size)):
            with pace.batch():
                self._batch(batch, *_read(batch, cells))
            if self.progress:
                self.progress(self.run)
        self._finish()

    def _batch(self, batch: Sequence[Row], fit: list[IncomingRow], refused: Refused) -> None:
        """Write the batch without rejected rows, retrying until no more are found."""
        failures = 0
        while True:
            try:
                found = self._attempt(batch, fit, refused)
            except (IntegrityError, DomainError) as error:
                # Another user saved one of these people between our read and write: read again. If it persists, try
                # rows one by one, so that one row cannot fail the others.
                failures += 1
                if failures == ATTEMPTS or isinstance(error, DomainError):
                    return self._one_by_one(batch, fit, refused, error)
            else:
                if not found:
                    return None
                refused |= found
                fit = [row for row in fit if row.line not in found]

    def _attempt(self, batch: Sequence[Row], fit: list[IncomingRow], refused: Refused) -> Refused:
        try:
            with transaction.atomic():
                # Imports of one workspace run one at a time; otherwise both would create the same companies.
                Workspace.objects.select_for_update(no_key=True).get(pk=self.run.workspace_id)
                commit_without_waiting()
                written = self.importer.write(fit)
                transaction.set_rollback(self.dry_run or bool(written.refused))
                if not self.dry_run and not written.refused:
                    self._note(batch, written, refused)
        except BaseException:
            self.scratch.rollback()
            raise
        if written.refused:
            self.scratch.rollback()
            return written.refused
        if self.dry_run:
            self._note(batch, written, refused)
        self.scratch.commit()
        return {}

    def _one_by_one(self, batch: Sequence[Row], fit: list[IncomingRow], refused: Refused, error: Exception) -> None:
        if len(batch) == 1:
            taken = gettext("Another record has the same email, domain or external ID.")
            sentence = str(error) if isinstance(error, DomainError) else taken
            self._attempt(batch, [], {batch[0].line: ("", sentence)})
            return
        by_line = {row.line: row for row in fit}
        for row in batch:
            own = [by_line[row.line]] if row.line in by_line else []
            self._batch([row], own, {row.line: refused[row.line]} if row.line in refused else {})

    def _note(self, batch: Sequence[Row], written: BatchResult, refused: Refused) -> None:
        run = self.run
        self.derived += written.derived
        self.told += written.notes[: NOTES - len(self.told)]
        run.line = batch[-1].line
        run.rows += len(batch)
        run.refused += len(refused)
        run.created += written.created
        run.updated += written.updated
        run.unchanged += written.unchanged
        run.seen_at = timezone.now()
        run.save(update_fields=["line", "rows", "refused", "created", "updated", "unchanged", "seen_at"])
        cells = {row.line: row.cells for row in batch if row.line in refused}
        rows = [(line, _clean(c)[:200], _clean(m), _kept(cells[line])) for line, (c, m) in sorted(refused.items())]
        insert_rows(ImportRefusal, ("line", "column", "message", "cells"), rows, {"run_id": run.pk})

    def _finish(self) -> None:
        steps = iter(()) if self.dry_run else self.importer.finish()
        more = True
        while more:
            with courtesy.batch():
                more = self._step(steps)

    def _step(self, steps: Iterator[BatchResult]) -> bool:
        """Run one transaction of the importer's deferred work and count it; return False when none is left."""
        with transaction.atomic():
            if (written := next(steps, None)) is None:
                return False
            run = self.run
            run.updated += written.updated
            run.unchanged += written.unchanged
            note = gettext("Row {row}: {message}")
            refused = sorted(written.refused.items())
            run.notes += [note.format(row=formats.number(line), message=message) for line, (_, message) in refused]
            run.seen_at = timezone.now()
            run.save(update_fields=["updated", "unchanged", "notes", "seen_at"])
        return True


def _read(batch: Iterable[Row], cells: RowReader) -> tuple[list[IncomingRow], Refused]:
    fit, refused = [], {}
    for row in batch:
        try:
            fit.append(cells.read(row))
        except RowError as unfit:
            refused[row.line] = unfit.args
    return fit, refused


def _kept(cells: list[str]) -> str:
    return json.dumps([_clean(cell) for cell in cells])


def _clean(text: str) -> str:
    """Replace characters that a database rejects, which may be why the row was rejected."""
    return UNDECODED.sub("\N{REPLACEMENT CHARACTER}", text.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def report(run: ImportRun) -> dict:
    """Return the counts of a run, without the errors, of which there may be a million (see ImportRefusal)."""
    return {name: getattr(run, name) for name in ("rows", "created", "updated", "unchanged", "refused")}
