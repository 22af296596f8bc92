"""Deletion of saved views."""

from django.db import transaction

from audit.record import LogRow, record_rows
from audit.values import read_value, to_log
from crm.entities.uses import refuse_breaking_changes
from crm.kit.actor import Actor, Role
from crm.kit.errors import NotAllowed, Refused
from crm.kit.translation import gettext as _
from crm.lists.models import SavedView
from crm.lists.verbs.save_view import SNAPSHOT


@transaction.atomic
def delete_view(entity: str, slug: str, *, by: Actor) -> None:
    """Delete the member's own view called `slug` or, for managers, the workspace's.

    Raises NotAllowed, Refused for a built-in view, and InUse while other settings refer to it.
    """
    views = SavedView.objects.filter(entity=entity, slug=slug)
    view = views.filter(member=by.member_id).first() or views.filter(member__isnull=True).first()
    if view is None:
        raise Refused(_("This view is built in or has already been deleted."))
    if view.member_id is None and not by.is_at_least(Role.MANAGER):
        raise NotAllowed(_("Only managers can delete shared views."))
    old = {key: to_log(read_value(view, key)) for key in SNAPSHOT}
    record_rows("saved_view.deleted", [LogRow(view.pk, None, old, None)], by=by, note=view.name)
    with refuse_breaking_changes(_("Can’t delete the view “{name}”.").format(name=view.name)):
        view.delete()
