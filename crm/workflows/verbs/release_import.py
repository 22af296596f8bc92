"""Run workflows after an import."""

from uuid import UUID

from django.db import transaction

from audit.record import record
from crm.kit import clock
from crm.kit.actor import Actor
from crm.kit.errors import Refused
from crm.kit.translation import gettext as _
from crm.users.roles import Right, require
from crm.workflows.models import Release


@transaction.atomic
def release_import(change: UUID, *, by: Actor) -> None:
    """Run the active workflows on the changes of an import, which held them. Admins only.

    Raises NotAllowed, and Refused if already released.
    """
    require(by, Right.WORKSPACE)
    if Release.objects.filter(change=change).exists():
        raise Refused(_("Workflows have already run on these imported records."))
    made = Release.objects.create(change=change, member_id=by.member_id, created_at=clock.now())
    record("release.created", Release.objects.filter(pk=made.pk), by=by, snapshot=("change", "member"))
