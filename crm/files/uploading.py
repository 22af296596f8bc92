"""Files that a form sent: each is attached, or its refusal told."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse

from contacts.hooks import on_logged
from contacts.models import Activity
from crm.files.quota import check_quota
from crm.files.storing import check_upload, stored
from crm.files.verbs.attach import attach
from crm.kit import formats
from crm.kit.errors import Invalid, Refused
from crm.kit.responses import toast, warn
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.users.http import Request

MOST_FILES = 20  # of one upload


def attach_sent(request: Request, record: Any) -> None:
    """Attach those files of a request that can be, and tell why others can't."""
    good = []
    sent = request.FILES.getlist("files")
    for upload in sent[:MOST_FILES]:
        try:
            check_upload(upload)
        except Invalid as error:
            warn(request, str(error))
        else:
            good.append(upload)
    if len(sent) > MOST_FILES:
        sentence = _("Only the first {count} files were attached. Attach the others separately.")
        warn(request, sentence.format(count=MOST_FILES))
    if good:
        _attach_all(request, record, good)
    elif not sent:
        warn(request, _("Choose a file to attach."))


def _attach_all(request: Request, record: Any, files: list[UploadedFile]) -> None:
    check_quota(sum(file.size or 0 for file in files))
    with stored(files) as found:
        outcome = attach(type(record).objects.filter(pk=record.pk), found, by=request.actor)
    count = len(outcome.done)
    done = ngettext("{count} file attached.", "{count} files attached.", count).format(count=formats.number(count))
    toast(request, done, undo_url=reverse("undo", args=[outcome.change]))


@on_logged
def attach_to_logged(request: Request, activity: Activity) -> None:
    """Attach the files that were sent with a new activity, in its change; it stays also if they are refused."""
    if not request.FILES:
        return
    try:
        attach_sent(request, activity)
    except Refused as error:
        warn(request, str(error))
