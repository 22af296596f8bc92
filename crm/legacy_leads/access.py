"""State of the legacy workspace: open, read-only or closed, derived from rows beside the retired table."""

from dataclasses import dataclass

from django.db.models import Exists, F, QuerySet, Subquery

from audit.record import record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.scope import workspace_id
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.models import MigrationRun, OldLeads
from crm.users.models import Workspace

State = MigrationRun.State
SENTENCES = {
    State.RUNNING: _("Legacy leads are being migrated to contacts. They are read-only until the migration ends."),
    State.UNDOING: _("The migration of legacy leads is being undone. They are read-only until the undo ends."),
}
DROPPED = _("The legacy leads of this workspace were dropped. Add contacts instead.")


@dataclass(frozen=True)
class AccessState:
    """Whether the legacy workspace can be read, and why it is read-only ('' if writable)."""

    is_open: bool
    why_readonly: str = ""


def access_state() -> AccessState:
    busy = Subquery(MigrationRun.objects.filter(state__in=MigrationRun.BUSY).values("state")[:1])
    found = _open().values_list(busy).first()
    return AccessState(found is not None, str(SENTENCES[State(found[0])]) if found and found[0] else "")


def allow_creating_legacy_leads(by: Actor) -> None:
    """Allow creating legacy leads in this transaction; the first creates their workspace. Raises Refused during the
    migration, and after the table was dropped.

    Locks the workspace's row like the start of a migration: additions come before the migration or not at all.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id())
    if state := MigrationRun.objects.filter(state__in=MigrationRun.BUSY).values_list("state", flat=True).first():
        raise Refused(str(SENTENCES[State(state)]))
    retired, is_new = OldLeads.objects.get_or_create(defaults={"since": clock.now()})
    if is_new:
        record("old_leads.opened", OldLeads.objects.all(), by=by, snapshot=("since",))
    if retired.dropped_at:
        raise Refused(str(DROPPED))


def has_legacy_leads() -> bool:
    """Return whether the retired table has rows of the workspace in scope."""
    return OldLeads.objects.filter(dropped_at__isnull=True).exists()


def open_rows(by: object) -> QuerySet:
    """Return a row if the legacy workspace is open, as a fact of the sidebar."""
    return _open().values(fact=F("pk"))[:1]


def _open() -> QuerySet[OldLeads]:
    committed = MigrationRun.objects.filter(state=State.COMMITTED)
    return OldLeads.objects.filter(~Exists(committed), dropped_at__isnull=True).order_by()
