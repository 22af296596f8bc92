"""manage.py import_contacts FILE --workspace SLUG"""

import gc
import sys
from pathlib import Path
from typing import BinaryIO

from crm.kit import formats
from crm.kit.actor import Actor, Channel
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy, ngettext
from crm.lists.imports.mapping import BadMap
from crm.lists.imports.running import new_run, report, run_import
from crm.lists.models import ImportRefusal, ImportRun, OnMatch
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage

# A batch allocates thousands of objects without cycles: collecting every 700 takes a sixth of the time.
GARBAGE = 100_000
SHOWN = 50  # rejected rows listed for people; --json lists all


class Command(WorkspaceCommand):
    """Import contacts from a CSV file. Exit status: 0 all rows imported, 1 some rejected, 2 wrong usage.

    Rows match contacts by external ID, then by email, so it can be repeated, also after an interruption.
    """

    help = gettext_lazy(
        "Import contacts and their companies from a CSV file. Safe to re-run: existing contacts are updated."
    )
    entity = "contact"
    channel = Channel.IMPORT

    def add_arguments(self, parser):
        parser.add_argument(
            "file",
            help=_("CSV file: UTF-8, UTF-16 or cp1252, comma, semicolon or tab, column names first"),
        )
        parser.add_argument(
            "--map", action="append", default=[], metavar='"CSV column=field"', dest="maps",
            help=_("map a CSV column to a field (repeatable); matching names are mapped automatically"),
        )  # fmt: skip
        parser.add_argument(
            "--on-match", choices=OnMatch.values, default=OnMatch.UPDATE.value,
            help=_("existing records: update (default), fill blanks only, or skip"),
        )  # fmt: skip
        parser.add_argument(
            "--override-stages", metavar="REASON", default="",
            help=_("bypass stage rules for existing records, with this reason (managers, admins, system)"),
        )  # fmt: skip
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help=_("preview only; make no changes"),
        )

    def run(self, by: Actor, *, file: str, **options) -> int:
        gc.set_threshold(GARBAGE)
        try:
            opened = Path(file).open("rb")  # noqa: SIM115  (closed below; only opening it is about the command line)
        except OSError as error:
            raise wrong_usage(f"{file}: {error.strerror}.") from None
        with opened:
            try:
                return self._import(opened, by, **options)
            except BadMap as error:
                raise wrong_usage(str(error)) from None
            except Invalid as error:
                return self._refuse_file(str(error), options["json"])

    def _import(self, file: BinaryIO, by: Actor, *, maps, on_match, override_stages, dry_run, json, **options) -> int:
        how = {"maps": maps, "on_match": on_match, "override_reason": override_stages}
        run = new_run(self.entity, file, file.name, by=by, **how)
        run.save()
        progress = self._progress if sys.stderr.isatty() else None
        try:
            run_import(run, file, by=by, dry_run=dry_run, progress=progress)
        except KeyboardInterrupt:
            self.stderr.write(
                _("Stopped after row {row}. Run the import again to finish.").format(row=formats.number(run.line))
            )
            return REFUSED
        self._report(run, dry_run, json)
        if dry_run:
            run.delete()
        return REFUSED if run.refused else 0

    def _progress(self, run: ImportRun) -> None:
        counts = ngettext("{rows} row, {rejected} rejected", "{rows} rows, {rejected} rejected", run.rows)
        counts = counts.format(rows=formats.number(run.rows), rejected=formats.number(run.refused))
        self.stderr.write(f"\r{counts}", ending="")
        self.stderr.flush()

    def _report(self, run: ImportRun, dry_run: bool, json: bool) -> None:
        counts = report(run)
        if sys.stderr.isatty():
            self.stderr.write("")
        summary = ngettext(
            "{rows} row: {created} created, {updated} updated, {unchanged} unchanged, {refused} rejected.",
            "{rows} rows: {created} created, {updated} updated, {unchanged} unchanged, {refused} rejected.",
            run.rows,
        )
        self.stdout.write(summary.format(**{name: formats.number(count) for name, count in counts.items()}))
        for sentence in [_("Dry run: no changes made."), *run.notes] if dry_run else run.notes:
            self.stdout.write(sentence)
        refusals = run.refusals.order_by("line")
        if json:
            self.tell(counts, {"errors": (error_of(refusal) for refusal in refusals.iterator(2000))})
            return
        for refusal in refusals[:SHOWN]:
            line = _("Row {row}, {column}: {message}") if refusal.column else _("Row {row}: {message}")
            facts = {"column": refusal.column, "message": refusal.message}
            self.stdout.write(line.format(row=formats.number(refusal.line), **facts))
        if run.refused > SHOWN:
            more = _("… and {count} more. Use --json to list them all.")
            self.stdout.write(more.format(count=formats.number(run.refused - SHOWN)))

    def _refuse_file(self, sentence: str, json: bool) -> int:
        if json:
            nothing = dict.fromkeys(("rows", "created", "updated", "unchanged", "refused"), 0)
            self.tell(nothing, {"errors": [{"row": 1, "column": "", "message": sentence}]})
        else:
            self.stderr.write(sentence)
        return REFUSED


def error_of(refusal: ImportRefusal) -> dict:
    """Return a rejected row for --json."""
    return {"row": refusal.line, "column": refusal.column, "message": refusal.message}
