"""Save notification preferences."""

from collections.abc import Mapping

from django.db import transaction

from audit.record import record, update_and_record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.translation import gettext as _
from crm.notifications.kinds import NOTIFICATION_KINDS, Channel
from crm.notifications.models import Preference


@transaction.atomic
def choose_channels(channels: Mapping[str, str], *, by: Actor) -> Preference:
    """Set the actor's Channel per kind of notification; omitted kinds are unchanged.

    Raises Invalid for an unknown kind or channel.
    """
    _check(channels)
    preference, created = Preference.objects.get_or_create(
        member_id=by.member_id, defaults={"channels": dict(channels)}
    )
    row = Preference.objects.filter(pk=preference.pk)
    if created:
        record("preference.updated", row, by=by, snapshot=("member", "channels"))
    else:
        update_and_record("preference.updated", row, {"channels": preference.channels | dict(channels)}, by=by)
    return row.get()


def _check(channels: Mapping[str, str]) -> None:
    known = {kind.name for kind in NOTIFICATION_KINDS.values()}
    errors = {kind: _("This type of notification doesn’t exist.") for kind in channels.keys() - known}
    errors |= {
        kind: _("“{channel}” isn’t a notification channel.").format(channel=channel)
        for kind, channel in channels.items()
        if channel not in Channel
    }
    if errors:
        raise Invalid(errors)
