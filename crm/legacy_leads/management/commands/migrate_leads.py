"""manage.py migrate_leads --workspace SLUG"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from crm.entities import registry
from crm.kit import formats
from crm.kit.actor import Actor
from crm.kit.scope import workspace
from crm.kit.translation import gettext as _
from crm.kit.translation import gettext_lazy
from crm.legacy_leads.dropping.conditions import status
from crm.legacy_leads.models import LegacyLead, LegacyVisit, MigrationRun
from crm.legacy_leads.moving.figures import AMOUNTS, COUNTS, Figures
from crm.legacy_leads.moving.plan import PlannedLead
from crm.legacy_leads.moving.report import HEADER, as_csv, carried_out, planned_report_row
from crm.legacy_leads.moving.run import Order, check_role, commit, dry_run
from crm.legacy_leads.moving.undo import undo_migration
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage

SHOWN = 50  # leads, or records kept by an undo, that are listed; --report and --json list all
UNCHANGED = gettext_lazy("No changes were made.")
MOVED = gettext_lazy("The leads were migrated. Their report is under Settings → Lead migration.")
WIDTH = 24  # of the progress bar
Outcome = LegacyLead.Outcome


@dataclass
class _Listing:
    """Output per lead of a plan: the first ones on the terminal, all in a file."""

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
        """Print a progress bar with rate and remaining time."""
        rate = done / max(time.monotonic() - self.began, 0.001)
        bar = ("█" * round(WIDTH * done / max(total, 1))).ljust(WIDTH, "░")
        left = max(total - done, 0) / max(rate, 1)
        figures = {"done": formats.number(done), "total": formats.number(total)}
        figures |= {"rate": formats.number(rate, 0), "left": formats.number(left, 0)}
        told = _("{done} of {total}, {rate} per second, {left} s left").format(**figures)
        sys.stderr.write(f"\r{bar} {told}   ")
        sys.stderr.flush()


class Command(WorkspaceCommand):
    """Migrate legacy leads to contacts: a dry run without --commit; --undo reverts it.

    Can be repeated, and resumes after an interruption. Exit status 1 if a lead could not be migrated.
    """

    whole_schema = True
    # argparse takes no lazy text.
    help = _("Migrate legacy leads to contacts. Without --commit, print a dry-run plan and change nothing.")

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--commit", action="store_true", help=_("migrate; /lead is read-only until the run ends"))
        what.add_argument("--undo", action="store_true", help=_("roll back; records changed since are kept"))
        what.add_argument("--status", action="store_true", help=_("show the last migration and reads of the table"))
        parser.add_argument("--include-lost", action="store_true", help=_("migrate lost leads too, as Lost contacts"))
        parser.add_argument("--batch-size", type=int, default=0, metavar="N", help=_("leads per transaction"))
        parser.add_argument("--report", metavar="FILE", help=_("write the outcome of every lead to a CSV file"))

    def run(self, by: Actor, *, undo: bool, **options) -> int:
        check_role(by)
        if options["status"]:
            return self._status(options["json"])
        return self._undo(by, options["json"]) if undo else self._migrate(by, **options)

    def _migrate(self, by: Actor, *, commit, include_lost, batch_size, report, json, **options) -> int:
        if batch_size < 0:
            raise wrong_usage(_("--batch-size can’t be negative."))
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
                stopped = _("Stopped. Migrated leads are kept. Run --commit to resume or --undo to roll back.")
                self.stderr.write(f"\n{stopped}")
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
        # Leads already rejected by an earlier run don't fail this one.
        return REFUSED if figures.counts[Outcome.REFUSED] and (run or not commit) else 0

    def _carry_out(self, order: Order, by: Actor) -> tuple[Figures, MigrationRun | None]:
        return commit(order, by=by)

    def _say(self, figures: Figures, run: MigrationRun | None, listing: _Listing, wanted: bool) -> None:
        if not listing.is_quiet and listing.count > SHOWN:
            more = listing.count - SHOWN
            sentence = _("… and {count} more. Use --report FILE to list all leads.")
            self.stdout.write(sentence.format(count=formats.number(more)))
        told = figures.report()
        self._say_figures(told)
        if run:
            for lead in run.rows.filter(outcome=Outcome.REFUSED)[:SHOWN]:
                self.stdout.write(f"{lead.public_id} {lead}: {lead.outcome_note}")
            sentence = _(
                "Committed as {migration}. The report is under Settings → Lead migration. Run --undo to roll back."
            )
            self.stdout.write(sentence.format(migration=run.public_id))
        elif wanted:
            self.stdout.write(_("Nothing left to migrate. No changes made."))
        else:
            self.stdout.write(_("Dry run: no changes made. Use --commit to apply."))

    def _say_figures(self, told: dict[str, Any]) -> None:
        sentence = _(
            "Legacy leads: {leads}. New contacts: {created}. Joined an existing contact: {reused}. "
            "Not migrated: {left}. Rejected: {refused}. Opportunities: {opportunities}."
        )
        self.stdout.write(sentence.format(**{name: formats.number(told[name]) for name in COUNTS}))
        sentence = _("Value: {total} = {made} in opportunities + {listed} without an opportunity.")
        for currency in told["amount_in"]:
            amounts = (formats.money(Decimal(told[name].get(currency, 0)), currency) for name in AMOUNTS)
            self.stdout.write(sentence.format(**dict(zip(("total", "made", "listed"), amounts, strict=True))))

    def _undo(self, by: Actor, json: bool) -> int:
        bar = _Listing(self.stdout, None, True).progress
        progress = (lambda run: bar(run.done, run.total)) if sys.stderr.isatty() else None
        undone = undo_migration(by=by, progress=progress)
        kept = [item for run, _ in undone for item in run.kept]
        reverted = sum(undo.reverted for _, undo in undone if undo)
        left = sum(undo.kept.count() for _, undo in undone if undo)
        told = _("Undone. Changes reverted: {reverted}. Skipped: {skipped}. /lead is open again.")
        self.stdout.write(told.format(reverted=formats.number(reverted), skipped=formats.number(left)))
        skipped = _("Skipped: {kind} {id}. {reason}")
        for entity, public_id, sentence in [] if json else kept[:SHOWN]:
            kind = registry.get(entity).label
            self.stdout.write(skipped.format(kind=kind, id=public_id, reason=sentence))
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
            read = _for_machines(now.last_read) if now.last_read else None
            about = {"state": run.state if run else None, "committed_at": at, "last_read": read}
            self.tell(about | {"readers": now.readers, "droppable": droppable and droppable.isoformat()})
            return 0
        if run is None:
            sentence = _("The legacy leads of {workspace} have not been migrated.").format(workspace=workspace())
        elif run.member:
            sentence = _("State: {state}. {migration} by {member}.")
            sentence = sentence.format(state=run.get_state_display(), migration=run, member=run.member)
        else:
            sentence = _("State: {state}. {migration}.").format(state=run.get_state_display(), migration=run)
        self.stdout.write(sentence)
        if run and run.committed_at and droppable:
            sentence = _("Committed on {moment}. --undo works until the table is dropped.")
            self.stdout.write(sentence.format(moment=formats.moment_and_zone(run.committed_at)))
            sentence = _("The table is kept until {day}, or longer if someone reads it.")
            self.stdout.write(sentence.format(day=formats.day(timezone.localtime(droppable))))
        self.stdout.write(
            _("Last read: {read}.").format(read=now.last_read) if now.last_read else _("Last read: never.")
        )
        if run and droppable:
            self.stdout.write(_("Readers since the commit: {count}.").format(count=formats.number(now.readers)))
        return 0


def _for_machines(read: LegacyVisit) -> str:
    """Return the last read for --json: identical in every language."""
    return f"{read.last_at:%Y-%m-%d %H:%M} by {read.member or 'the system'} ({read.place})"  # not a text


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
    with suppress(OSError):  # of remaining output
        file.close()


@contextmanager
def _room(path: str, meanwhile: str) -> Iterator[None]:
    """End the command with a message if the disk is full."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}. {meanwhile}", returncode=REFUSED) from None


def _line(step: PlannedLead) -> str:
    """Return the lead with sentences on result, reason and value."""
    lead = step.lead
    value = f", {formats.money(lead.estimated_value, lead.currency)}" if lead.estimated_value else ""
    sentences = [f"{lead.public_id} {lead}{value}: {_became(step)}", step.why]
    if step.person and step.opportunity:
        sentences.append(_("Creates an opportunity at Qualification."))
    elif step.person and step.value_note:
        sentences.append(_("No opportunity: {reason}").format(reason=step.value_note))
    return " ".join(filter(None, sentences))


def _became(step: PlannedLead) -> str:
    if step.outcome == Outcome.CREATED:
        return _("Becomes a new contact.")
    if step.outcome == Outcome.REUSED and step.contact:
        return _("Joins {contact}.").format(contact=step.contact)
    if step.outcome == Outcome.REUSED:
        return _("Joins the contact of an earlier lead.")
    return _("Not migrated.") if step.outcome == Outcome.LEFT else _("Rejected.")
