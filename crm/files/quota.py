"""The quota of a workspace: bytes of all its files. Deleted ones count until they are purged."""

from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Sum

from crm.files.models import PRESENT, Attachment
from crm.kit import formats
from crm.kit.errors import Refused
from crm.kit.scope import workspace_id
from crm.kit.translation import gettext as _
from crm.users.models import Workspace


class Usage(NamedTuple):
    """Bytes and numbers of a workspace's files, and of the deleted ones among them."""

    used: int
    files: int
    deleted: int
    deleted_files: int

    @property
    def left(self) -> int:
        return max(settings.FILE_QUOTA - self.used, 0)


def usage() -> Usage:
    """Return the usage of the workspace in scope."""
    gone = ~PRESENT
    found = Attachment.objects.aggregate(
        used=Sum("size", default=0),
        files=Count("pk"),
        deleted=Sum("size", filter=gone, default=0),
        deleted_files=Count("pk", filter=gone),
    )
    return Usage(**found)


def check_quota(size: int) -> None:
    """Raise Refused if `size` more bytes would exceed the quota."""
    used = Attachment.objects.aggregate(used=Sum("size", default=0))["used"]
    if used + size > settings.FILE_QUOTA:
        sentence = _("Files of this workspace can use {quota} in total. Left: {left}. Ask an admin to make room.")
        left = max(settings.FILE_QUOTA - used, 0)
        raise Refused(sentence.format(quota=formats.file_size(settings.FILE_QUOTA), left=formats.file_size(left)))


def reserve(size: int) -> None:
    """check_quota() under a lock that lasts until the commit: concurrent uploads can't exceed the quota together."""
    # Without blocking foreign keys: other changes of the workspace go on.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id())
    check_quota(size)
