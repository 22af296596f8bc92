"""manage.py recalculate_scores --workspace SLUG"""

import sys

from crm.entities.values import instant
from crm.kit import formats
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed
from crm.kit.translation import gettext as _
from crm.users.command import REFUSED, WorkspaceCommand, wrong_usage
from leads.models import ScoringRun
from leads.scoring.runs import finish_scoring_run, open_run


class Command(WorkspaceCommand):
    """Score all open leads at one instant and update their stages. Resumes after a kill."""

    help = _(
        "Recalculate the scores of all open leads. Safe to repeat. "
        "An interrupted run resumes as of the moment it started."
    )

    def add_arguments(self, parser):
        parser.add_argument("--full", action="store_true", help=_("recalculate from events instead of stored sums"))
        parser.add_argument("--at", metavar="TIME", help=_("score as of this moment, e.g. 2026-03-31 14:30"))

    def run(self, by: Actor, *, full: bool, at: str | None, json: bool, **options) -> int:
        if not by.is_at_least(Role.MANAGER):
            raise NotAllowed(_("Only managers and admins can recalculate scores."))
        run = open_run(at=self._instant(at) if at else None, full=full, by=by)
        try:
            run = finish_scoring_run(run, by=by, progress=self._progress if sys.stderr.isatty() else None)
        except KeyboardInterrupt:
            self.stderr.write(_("Stopped. Run the command again to resume."))
            return REFUSED
        report = {name: getattr(run, name) for name in ("leads", "changed", "up", "down")}
        shown = {name: formats.number(count) for name, count in report.items()}
        sentence = _("Open leads: {leads}. Scores changed: {changed}. Up a stage: {up}. Down a stage: {down}.")
        self.stdout.write(sentence.format(**shown))
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
        shown = _("Scores changed: {count}").format(count=formats.number(run.changed))
        self.stderr.write(f"\r{shown}", ending="")
        self.stderr.flush()
