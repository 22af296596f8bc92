"""Drop the retired table's rows in all workspaces at once, if all conditions hold.

Why: docs/decisions/0050-drop-empties-the-table.md
"""

from django.db import transaction

from audit.record import update_and_record
from crm.kit import clock
from crm.kit.actor import Actor, Channel, system
from crm.kit.read_tracking import uncounted_reads
from crm.kit.scope import in_workspace
from crm.kit.sql import Statement, execute
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.dropping.conditions import missing
from crm.legacy_leads.dropping.export import TABLE, digest, table
from crm.legacy_leads.models import OldLeads
from crm.legacy_leads.moving.run import check_role
from crm.users.models import Workspace

CHANGED = _("The table has changed since the export. Export it again and verify that file with --rehearse.")


@transaction.atomic
def drop(*, by: Actor) -> tuple[int, dict[str, list[str]]]:
    """Delete all rows; return how many, and {} or, if nothing was deleted, slug → unmet conditions.

    All workspaces' conditions must hold. Raises NotAllowed.
    """
    check_role(by)
    # Creating legacy leads locks the workspace's row: none can appear between check and drop.
    ids = OldLeads.objects.unscoped().filter(dropped_at__isnull=True).values("workspace")
    spaces = list(Workspace.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True))
    with uncounted_reads():
        lacking = {space.slug: sentences for space in spaces if (sentences := _missing(space))}
        if lacking or not spaces:
            return 0, lacking
        for space in spaces:
            with in_workspace(space):
                who = by if space.pk == by.workspace_id else system(space.pk, Channel.COMMAND)
                update_and_record("old_leads.dropped", OldLeads.objects.all(), {"dropped_at": clock.now()}, by=who)
        return execute([Statement(f"DELETE FROM {TABLE}", ())]), {}


def _missing(space: Workspace) -> list[str]:
    with in_workspace(space):
        retired = OldLeads.objects.get()
        if sentences := missing(retired):
            return sentences
        return [] if digest(table()) == (retired.rows, retired.digest) else [str(CHANGED)]
