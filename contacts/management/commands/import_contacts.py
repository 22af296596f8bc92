"""manage.py import_contacts FILE --workspace SLUG"""

import gc
import sys
from pathlib import Path
from typing import BinaryIO

from crm.kit.actor import Actor, Channel
from crm.kit.errors import Invalid
from crm.lists.imports.mapping import BadMap
from crm.lists.imports.running import new_run, report, run_import
from crm.lists.models import ImportRefusal, ImportRun, OnMatch
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage

# A batch makes thousands of objects and no circle of them: to look for one at every 700 is a sixth of all the time.
GARBAGE = 100_000
SHOWN = 50  # refused rows that are listed for people; --json lists all


class Command(WorkspaceCommand):
    """Import people from a CSV file. Exit status 0 when every row is in, 1 when some were refused, 2 for wrong usage.

    Rows match people by external ID, else by e-mail, so it can be run again: after an interruption too.
    """

    help = "Import contacts from a CSV file, with their companies. Can be repeated: who is there already is updated."
    entity = "contact"
    channel = Channel.IMPORT

    def add_arguments(self, parser):
        parser.add_argument("file", help="CSV: UTF-8, UTF-16 or cp1252; comma, semicolon or tab; column names first")
        parser.add_argument(
            "--map", action="append", default=[], metavar='"CSV column=field"', dest="maps",
            help="feed a field from a column; repeatable. Columns named like a field need none",
        )  # fmt: skip
        parser.add_argument(
            "--on-match", choices=OnMatch.values, default=OnMatch.UPDATE.value,
            help="records that are there already: update them (default), fill only what is empty, or skip them",
        )  # fmt: skip
        parser.add_argument(
            "--override-stages", metavar="REASON", default="",
            help="set stages of records that are there already where no legal move leads (managers, admins, system)",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

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
            self.stderr.write(f"Stopped after line {run.line:,}. Run it again to import the rest.")
            return REFUSED
        self._report(run, dry_run, json)
        if dry_run:
            run.delete()
        return REFUSED if run.refused else 0

    def _progress(self, run: ImportRun) -> None:
        self.stderr.write(f"\r{run.rows:,} rows, {run.refused:,} refused", ending="")
        self.stderr.flush()

    def _report(self, run: ImportRun, dry_run: bool, json: bool) -> None:
        counts = report(run)
        if sys.stderr.isatty():
            self.stderr.write("")
        self.stdout.write(
            "{rows:,} rows: {created:,} created, {updated:,} updated, {unchanged:,} unchanged, "
            "{refused:,} refused.".format(**counts)
        )
        for sentence in ["Nothing was changed: this was a trial.", *run.notes] if dry_run else run.notes:
            self.stdout.write(sentence)
        refusals = run.refusals.order_by("line")
        if json:
            self.tell(counts, {"errors": (error_of(refusal) for refusal in refusals.iterator(2000))})
            return
        for refusal in refusals[:SHOWN]:
            self.stdout.write(f"Line {refusal.line:,}{f', {refusal.column}' * bool(refusal.column)}: {refusal.message}")
        if run.refused > SHOWN:
            self.stdout.write(f"… and {run.refused - SHOWN:,} more; --json names them all.")

    def _refuse_file(self, sentence: str, json: bool) -> int:
        if json:
            nothing = dict.fromkeys(("rows", "created", "updated", "unchanged", "refused"), 0)
            self.tell(nothing, {"errors": [{"row": 1, "column": "", "message": sentence}]})
        else:
            self.stderr.write(sentence)
        return REFUSED


def error_of(refusal: ImportRefusal) -> dict:
    """A refused row as --json tells it."""
    return {"row": refusal.line, "column": refusal.column, "message": refusal.message}
