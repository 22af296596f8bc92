"""Have workflows run after an import."""

from uuid import UUID

from django.db import transaction

from audit.record import record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.users.roles import Right, require
from crm.workflows.models import Release


@transaction.atomic
def release_import(change: UUID, *, by: Actor) -> None:
    """Let the workflows that are switched on answer to what an import did, which it kept from them. Admins only.

    Raises NotAllowed, and Refused where it was asked for before.
    """
    require(by, Right.WORKSPACE)
    if Release.objects.filter(change=change).exists():
        raise Refused("Workflows have run after this import.")
    made = Release.objects.create(change=change, member_id=by.member_id, created_at=clock.now())
    record("release.created", Release.objects.filter(pk=made.pk), by=by, snapshot=("change", "member"))
