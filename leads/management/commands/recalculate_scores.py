"""manage.py recalculate_scores --workspace SLUG"""

import sys

from crm.entities.values import instant
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage
from leads.models import ScoringRun
from leads.scoring.runs import finish_scoring_run, open_run


class Command(WorkspaceCommand):
    """Score every open lead as of one instant, and move each to its stage. Killed, it goes on where it was."""

    help = (
        "Recalculate the scores of all open leads as of now. Can be repeated; a run that was interrupted is continued "
        "as of the instant that it began with."
    )

    def add_arguments(self, parser):
        parser.add_argument("--full", action="store_true", help="from the events, not from what is stored of them")
        parser.add_argument("--at", metavar="TIME", help="as of this moment, as in 2026-03-31 14:30")

    def run(self, by: Actor, *, full: bool, at: str | None, json: bool, **options) -> int:
        if not by.is_at_least(Role.MANAGER):
            raise NotAllowed("Only a manager or an admin can recalculate all scores.")
        run = open_run(at=self._instant(at) if at else None, full=full, by=by)
        try:
            run = finish_scoring_run(run, by=by, progress=self._progress if sys.stderr.isatty() else None)
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Run it again to go on.")
            return REFUSED
        report = {name: getattr(run, name) for name in ("leads", "changed", "up", "down")}
        sentence = "{leads:,} open leads: {changed:,} scores changed, {up:,} leads rose and {down:,} fell a stage."
        self.stdout.write(sentence.format(**report))
        if json:
            self.tell(report)
        return 0

    def _instant(self, text: str):
        try:
            return instant(text)
        except ValueError as error:
            raise wrong_usage(str(error)) from None

    def _progress(self, run: ScoringRun) -> None:
        run.refresh_from_db()
        self.stderr.write(f"\r{run.changed:,} scores changed", ending="")
        self.stderr.flush()
