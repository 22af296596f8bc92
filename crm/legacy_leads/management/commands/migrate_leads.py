"""manage.py migrate_leads --workspace SLUG"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError, OutputWrapper

from crm.kit.actor import Actor
from crm.kit.scope import workspace
from crm.legacy_leads.dropping.conditions import status
from crm.legacy_leads.models import LegacyLead, MigrationRun
from crm.legacy_leads.moving.figures import AMOUNTS, Figures
from crm.legacy_leads.moving.plan import PlannedLead
from crm.legacy_leads.moving.report import HEADER, as_csv, carried_out, planned_report_row
from crm.legacy_leads.moving.run import Order, check_role, commit, dry_run
from crm.legacy_leads.moving.undo import undo_migration
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage

SHOWN = 50  # leads, or things that an undo kept, that are listed; --report and --json name all
UNCHANGED, MOVED = "Nothing was changed.", "The leads are moved; their report is in the admin."
WIDTH = 24  # of the progress bar
Outcome = LegacyLead.Outcome


@dataclass
class _Listing:
    """What is told of each lead of a plan: the first on the terminal, all of them in a file."""

    out: OutputWrapper
    file: TextIO | None
    is_quiet: bool
    count: int = 0
    began: float = field(default_factory=time.monotonic)

    def tell(self, step: PlannedLead) -> None:
        self.count += 1
        if self.file:
            with _room(self.file.name, UNCHANGED):
                self.file.write(as_csv(planned_report_row(step)))
        if not self.is_quiet and self.count <= SHOWN:
            self.out.write(_line(step))

    def progress(self, done: int, total: int) -> None:
        """A bar, with the rate and the time that is left."""
        rate = done / max(time.monotonic() - self.began, 0.001)
        bar = ("█" * round(WIDTH * done / max(total, 1))).ljust(WIDTH, "░")
        left = max(total - done, 0) / max(rate, 1)
        sys.stderr.write(f"\r{bar} {done:,} of {total:,}, {rate:,.0f} a second, {left:,.0f} s left   ")
        sys.stderr.flush()


class Command(WorkspaceCommand):
    """Move the old leads to contacts: a plan that changes nothing, until --commit; --undo takes it back.

    Can be repeated, and goes on where it was interrupted. Exit status 1 when a lead could not be moved.
    """

    whole_schema = True
    help = "Move the leads of the retired entity to contacts. Without --commit it says what would happen."

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--commit", action="store_true", help="do it; /lead is read-only until it is done")
        what.add_argument("--undo", action="store_true", help="take it back: what nobody touched since is removed")
        what.add_argument("--status", action="store_true", help="when it was committed, and who reads the table")
        parser.add_argument("--include-lost", action="store_true", help="bring lost leads too, as Lost contacts")
        parser.add_argument("--batch-size", type=int, default=0, metavar="N", help="leads in one transaction")
        parser.add_argument("--report", metavar="FILE", help="write what becomes of every lead to a CSV file")

    def run(self, by: Actor, *, undo: bool, **options) -> int:
        check_role(by)
        if options["status"]:
            return self._status(options["json"])
        return self._undo(by, options["json"]) if undo else self._migrate(by, **options)

    def _migrate(self, by: Actor, *, commit, include_lost, batch_size, report, json, **options) -> int:
        if batch_size < 0:
            raise wrong_usage("--batch-size is a number of leads.")
        with ExitStack() as stack:
            file = _opened(report) if report else None
            if file:
                stack.callback(_close, file)
            listing = _Listing(self.stdout, None if commit else file, json or commit)
            progress = listing.progress if sys.stderr.isatty() else Order.progress
            order = Order(include_lost, batch_size, progress, listing.tell)
            try:
                figures, run = self._carry_out(order, by) if commit else (dry_run(order, by=by), None)
            except KeyboardInterrupt:
                self.stderr.write("\nStopped. What was moved is moved: --commit goes on, --undo takes it back.")
                return REFUSED
            if file:
                with _room(report, MOVED if run else UNCHANGED):
                    file.writelines(map(as_csv, carried_out(run) if run else ()))
                    file.flush()
        if sys.stderr.isatty():
            self.stderr.write("")
        self._say(figures, run, listing, commit)
        if json:
            committed = MigrationRun.objects.filter(state=MigrationRun.State.COMMITTED).exists()
            self.tell(figures.report() | {"committed": committed})
        # What a run before this one refused and said so, is no failure of this one.
        return REFUSED if figures.counts[Outcome.REFUSED] and (run or not commit) else 0

    def _carry_out(self, order: Order, by: Actor) -> tuple[Figures, MigrationRun | None]:
        return commit(order, by=by)

    def _say(self, figures: Figures, run: MigrationRun | None, listing: _Listing, wanted: bool) -> None:
        if not listing.is_quiet and listing.count > SHOWN:
            self.stdout.write(f"… and {listing.count - SHOWN:,} more; --report FILE writes all of them.")
        told = figures.report()
        self.stdout.write(
            "{leads:,} old leads in = {created:,} new contacts + {reused:,} that joined a contact + {left:,} left + "
            "{refused:,} refused; {opportunities:,} opportunities.".format(**told)
        )
        for currency, amount in told["amount_in"].items():
            made, listed = (told[name].get(currency, "0.00") for name in AMOUNTS[1:])
            self.stdout.write(f"{currency} {amount} in = {made} in opportunities + {listed} listed without one.")
        if run:
            for lead in run.rows.filter(outcome=Outcome.REFUSED)[:SHOWN]:
                self.stdout.write(f"{lead.public_id} {lead}: {lead.outcome_note}")
            self.stdout.write(f"Committed as {run.public_id}; the report is in the admin. --undo takes it back.")
        elif wanted:
            self.stdout.write("There is nothing left to move: nothing was changed.")
        else:
            self.stdout.write("Nothing was changed: this was a plan. --commit carries it out.")

    def _undo(self, by: Actor, json: bool) -> int:
        bar = _Listing(self.stdout, None, True).progress
        progress = (lambda run: bar(run.done, run.total)) if sys.stderr.isatty() else None
        undone = undo_migration(by=by, progress=progress)
        kept = [item for run, _ in undone for item in run.kept]
        reverted = sum(undo.reverted for _, undo in undone if undo)
        left = sum(undo.kept.count() for _, undo in undone if undo)
        self.stdout.write(f"Undone: {reverted:,} changes taken back, {left:,} kept. /lead is open again.")
        for entity, public_id, sentence in [] if json else kept[:SHOWN]:
            self.stdout.write(f"Kept {entity.replace('_', ' ')} {public_id}: {sentence}")
        if json:
            names = ("entity", "id", "message")
            self.tell(
                {"undone": len(undone), "reverted": reverted},
                {"kept": (dict(zip(names, k, strict=True)) for k in kept)},
            )
        return 0

    def _status(self, json: bool) -> int:
        now = status()
        run, droppable = now.run, now.droppable
        if json:
            at = run.committed_at.isoformat() if run and run.committed_at else None
            read = str(now.last_read) if now.last_read else None
            about = {"state": run.state if run else None, "committed_at": at, "last_read": read}
            self.tell(about | {"readers": now.readers, "droppable": droppable and droppable.isoformat()})
            return 0
        if run is None:
            self.stdout.write(f"The old leads of {workspace()} have not been migrated.")
        else:
            self.stdout.write(f"{run.get_state_display()}: {run}, by {run.member or 'the system'}.")
        if run and droppable:
            self.stdout.write(
                f"Committed {run.committed_at:%Y-%m-%d %H:%M} UTC. --undo is possible while the table stands."
            )
            self.stdout.write(f"The table stays until {droppable:%Y-%m-%d}, and longer if anybody reads it.")
        self.stdout.write(f"Last read: {now.last_read or 'none'}.")
        if run and droppable:
            self.stdout.write(f"Since the commit {now.readers:,} have read it.")
        return 0


def _opened(path: str) -> TextIO:
    try:
        file = Path(path).open("w", encoding="utf-8", newline="")  # noqa: SIM115 (the caller's stack closes it)
    except OSError as error:
        raise wrong_usage(f"{path}: {error.strerror}.") from None
    with ExitStack() as unless_it_works:
        unless_it_works.callback(_close, file)
        with _room(path, UNCHANGED):
            file.write(as_csv(HEADER))
            file.flush()
        unless_it_works.pop_all()
    return file


def _close(file: TextIO) -> None:
    with suppress(OSError):  # of what is still to be written
        file.close()


@contextmanager
def _room(path: str, meanwhile: str) -> Iterator[None]:
    """End the command with a sentence where the disk is full."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}. {meanwhile}", returncode=REFUSED) from None


def _line(step: PlannedLead) -> str:
    lead = step.lead
    value = f", {lead.currency} {lead.estimated_value:.2f}" if lead.estimated_value else ""
    became = {
        Outcome.CREATED: "becomes a new contact",
        Outcome.REUSED: "joins " + (str(step.contact or "the contact of an earlier lead")),
        Outcome.LEFT: "is left",
        Outcome.REFUSED: "cannot be moved",
    }[Outcome(step.outcome)]
    deal = (
        " An opportunity at Qualification."
        if step.opportunity
        else f" No opportunity: {step.value_note}" * bool(step.value_note)
    )
    return f"{lead.public_id} {lead}{value}: {became}. {step.why}{deal if step.person else ''}".rstrip()
