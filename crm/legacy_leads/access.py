"""Whether the old workspace is open, read-only for a while, or closed: said by rows beside the retired table."""

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
    """Whether the old workspace can be read, and why it cannot be written ('' where it can)."""

    is_open: bool
    why_readonly: str = ""


def access_state() -> AccessState:
    """How it stands, in one statement."""
    busy = Subquery(MigrationRun.objects.filter(state__in=MigrationRun.BUSY).values("state")[:1])
    found = _open().values_list(busy).first()
    return AccessState(found is not None, str(SENTENCES[State(found[0])]) if found and found[0] else "")


def allow_creating_legacy_leads(by: Actor) -> None:
    """Let old leads be added in this transaction; the first one makes their workspace. Raises Refused while the leads
    are being moved, and once they were dropped.

    Locks the workspace's row, as whoever opens the window does: what is added goes before the migration or not at all.
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
    """Whether the retired table still has rows of the workspace in scope."""
    return OldLeads.objects.filter(dropped_at__isnull=True).exists()


def open_rows(by: object) -> QuerySet:
    """A row where the old workspace is open, none where it is not, as a fact of the sidebar."""
    return _open().values(fact=F("pk"))[:1]


def _open() -> QuerySet[OldLeads]:
    committed = MigrationRun.objects.filter(state=State.COMMITTED)
    return OldLeads.objects.filter(~Exists(committed), dropped_at__isnull=True).order_by()
