"""Migration of legacy leads from a page: plan, commit and undo in the background.

A run is a row; if its process ends, a scheduled job continues it.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from crm.events.scheduler import scheduled
from crm.kit.actor import Actor, Channel, system
from crm.kit.background import after_commit
from crm.kit.errors import DomainError, Refused
from crm.kit.scope import in_workspace, workspace_id
from crm.kit.translation import gettext as _
from crm.legacy_leads.access import SENTENCES, has_legacy_leads
from crm.legacy_leads.models import MigrationRun, OldLeads
from crm.legacy_leads.moving.alone import AlreadyMigrating
from crm.legacy_leads.moving.run import Order, begin, check_role, commit
from crm.legacy_leads.moving.undo import NOTHING, undo_migration
from crm.users.models import Workspace

State = MigrationRun.State
NAME = "The migration of the legacy leads"  # in the log # not a text
log = logging.getLogger(__name__)


@transaction.atomic
def start_commit(include_lost: bool, *, by: Actor) -> MigrationRun:
    """Start the migration, or continue a stopped run.

    Raises NotAllowed, and Refused without legacy leads or during an undo.
    """
    check_role(by)
    run = _held()
    if run and run.state == State.UNDOING:
        raise Refused(str(SENTENCES[State.UNDOING]))
    if not has_legacy_leads():
        raise Refused(_("There are no legacy leads to migrate."))
    if run is None:
        OldLeads.objects.update(plan=None)  # outdated
        run = begin(Order(include_lost=include_lost), by)
    return _proceed_after_commit(run, State.RUNNING)


@transaction.atomic
def start_undo(*, by: Actor) -> MigrationRun:
    """Start to undo the latest migration, stopped ones included, or continue its undo.

    Raises NotAllowed, and Refused if there is none or one is running.
    """
    check_role(by)
    run = _held() or MigrationRun.objects.exclude(state=State.UNDONE).order_by("-pk").first()
    if run is None:
        raise Refused(str(NOTHING))
    if run.state == State.RUNNING and run.in_background and not run.problem:
        raise Refused(str(SENTENCES[State.RUNNING]))
    return _proceed_after_commit(run, State.UNDOING)


def _held() -> MigrationRun | None:
    """Return the unfinished run, if any, and block other starts until commit."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id())
    return MigrationRun.objects.filter(state__in=MigrationRun.BUSY).first()


def _proceed_after_commit(run: MigrationRun, state: MigrationRun.State) -> MigrationRun:
    """Continue the run after commit; does nothing if another process already works on it."""
    run.state, run.in_background, run.problem = state, True, ""
    run.save(update_fields=["state", "in_background", "problem"])
    after_commit(partial(continue_migration, run.pk), NAME)
    return run


def continue_migration(pk: int) -> None:
    """Finish a run. A refusal is stored in the run, which then waits for an admin."""
    run = MigrationRun.objects.select_related("member__user").get(pk=pk)
    by = run.member.actor(Channel.WEB) if run.member else system(run.workspace_id)
    try:
        if run.state == State.RUNNING:
            commit(Order(include_lost=run.include_lost), by=by)
        elif run.state == State.UNDOING:
            undo_migration(by=by)
    except AlreadyMigrating:
        log.info("Another process carries the lead migration %s out", run.public_id)
    except DomainError as error:
        MigrationRun.objects.filter(pk=pk).update(problem=str(error))


@scheduled(every=timedelta(seconds=30))
def continue_migrations(slot: datetime) -> None:
    """Continue runs started from a page whose process died; running ones hold their lock."""
    for here in Workspace.objects.all():
        with in_workspace(here):
            for run in MigrationRun.objects.filter(state__in=MigrationRun.BUSY, in_background=True, problem=""):
                after_commit(partial(continue_migration, run.pk), NAME)
