"""Confirm that the retired table may be dropped."""

from django.db import transaction

from audit.record import record
from crm.kit import clock
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed, Refused
from crm.kit.translation import gettext_lazy as _
from crm.legacy_leads.dropping.conditions import NOT_MIGRATED
from crm.legacy_leads.models import DropConfirmation, MigrationRun, OldLeads

NOT_AN_ADMIN = _("Only admins can confirm the drop. On the command line, name one with --user EMAIL.")


@transaction.atomic
def confirm_drop(*, by: Actor) -> None:
    """Confirm, as an admin, that the table is no longer needed. Repeatable; undoing the migration revokes it. Raises
    NotAllowed, also for the system; Refused before the migration is committed.
    """
    if by.member_id is None or not by.is_at_least(Role.ADMIN):
        raise NotAllowed(str(NOT_AN_ADMIN))
    there = OldLeads.objects.filter(dropped_at__isnull=True)
    if not there.exists() or not MigrationRun.objects.filter(state=MigrationRun.State.COMMITTED).exists():
        raise Refused(str(NOT_MIGRATED))
    DropConfirmation.objects.update_or_create(member_id=by.member_id, defaults={"at": clock.now()})
    record("old_leads.drop_confirmed", there, by=by)
