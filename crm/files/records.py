"""The history of files, and where they are shown on record pages."""

from audit import subjects
from contacts.hooks import show_in_contact_timeline
from crm.events.registry import EventType, declare
from crm.files import merging, uploading  # noqa: F401  (they register themselves)
from crm.files.models import OWNERS
from crm.files.pages import files_panel, names_for_timeline
from crm.kit.translation import gettext_lazy as _
from crm.records import panels

subjects.register(
    "attachment",
    "files.Attachment",
    person="contact_id",
    or_person=("activity__contact_id", "lead__contact_id", "opportunity__contact_id"),
)
declare(
    EventType(
        "attachment.added", "CREATE", _("File attached"), _("{who} attached a file"), "FileAttached", "paperclip"
    ),
    EventType("attachment.updated", "UPDATE", _("File changed"), _("{who} changed a file"), "FileChanged", "pencil"),
    EventType("attachment.deleted", "DELETE", _("File deleted"), _("{who} deleted a file"), "FileDeleted", "trash-2"),
    EventType("attachment.moved", "UPDATE", _("File moved"), _("{who} moved the file of a merged record"), "", "merge"),
    EventType(
        "attachment.purged",
        "PURGE",
        _("File permanently deleted"),
        _("{who} permanently deleted a file"),
        "FilePurged",
        "trash-2",
    ),
)
show_in_contact_timeline(
    "attachment",
    names=names_for_timeline,
    many={
        "attachment.added": _("{who} attached files"),
        "attachment.deleted": _("{who} deleted files"),
        "attachment.undone": _("{who} undid a change of files"),
    },
)
for entity in OWNERS:
    panels.register(entity, files_panel, last=True)
