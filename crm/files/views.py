"""Attach, show, download, rename and delete files.

Why: docs/decisions/0076-files-of-members-are-untrusted.md
"""

import logging
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts.models import Activity
from crm.files.forms import AttachmentForm
from crm.files.jobs import KEPT
from crm.files.models import PDF, Attachment
from crm.files.pages import may_attach, upload_context
from crm.files.quota import usage
from crm.files.storing import UNKNOWN
from crm.files.uploading import attach_sent
from crm.files.verbs.delete_attachment import delete_attachment
from crm.files.verbs.edit_attachment import edit_attachment
from crm.files.verbs.purge_attachments import purge_attachments
from crm.kit import clock, formats
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.transfers import max_body_size
from crm.kit.translation import gettext as _
from crm.kit.translation import ngettext
from crm.records.views.pages import find_record
from crm.users.http import Request
from crm.users.limits import limited, uploads
from crm.users.roles import Right
from crm.users.views import needs

logger = logging.getLogger(__name__)
# A file is of someone else's making. Opened in a browser it gets no origin, no scripts and nothing from elsewhere.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"  # not a text
# Chromium's PDF viewer is a plugin, which a sandbox forbids. It runs the scripts of a PDF apart from all pages.
PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def find_owner(request: Request, entity: str, public_id: str) -> Any:
    """Return the record that files belong to. Raises Http404 if missing or hidden from the actor."""
    if entity != "activity":
        return find_record(request, entity, public_id)
    activity = Activity.objects.live().visible_to(request.actor).filter(public_id=public_id).first()
    if activity is None:
        raise Http404
    return activity


def find_file(request: Request, public_id: str) -> Attachment:
    """Return a file that wasn't deleted. Raises Http404 if missing or hidden from the actor."""
    rows = Attachment.objects.present().visible_to(request.actor).select_related("uploader__user")
    file = rows.filter(public_id=public_id).first()
    if file is None:
        raise Http404
    return file


def rows_of(record: Any):
    return type(record).objects.filter(pk=record.pk)


@max_body_size(settings.FILES_MAX_BODY)
@require_http_methods(["GET", "POST"])
@limited("upload", applies=uploads)
def record_files(request: Request, entity: str, public_id: str) -> HttpResponse:
    """Show all files of a record; a POST attaches some."""
    record = find_owner(request, entity, public_id)
    if request.method == "POST":
        attach_sent(request, record)
        return redirect(record)
    rows = Attachment.objects.of(entity, record).select_related("uploader__user")
    return render(request, "files/list.html", upload_context(record, request.actor) | {"rows": rows})


@require_http_methods(["GET", "POST"])
def attachment(request: Request, public_id: str) -> HttpResponse:
    """Show a file with its preview; a POST renames and describes it."""
    file = find_file(request, public_id)
    form = AttachmentForm(request.POST or None, initial={"name": file.name, "description": file.description})
    if request.method == "POST" and form.is_valid():
        try:
            outcome = edit_attachment(rows_of(file), by=request.actor, **form.cleaned_data).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("File updated."), undo_url=reverse("undo", args=[outcome.change]))
            return redirect(file)
    context = {
        "file": file,
        "form": form,
        "record": file.about,
        "page": file.about.get_absolute_url(),
        "editable": may_attach(file.about, request.actor),
    }
    return render(request, "files/file.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: Request, public_id: str) -> HttpResponse:
    file = find_file(request, public_id)
    outcome = delete_attachment(rows_of(file), by=request.actor).or_raise()
    sentence = _("“{name}” deleted.").format(name=file.name)
    toast(request, sentence, undo_url=reverse("undo", args=[outcome.change]))
    return redirect(file.about)


@require_GET
def content(request: Request, public_id: str, inline: bool) -> HttpResponseBase:
    """Send a file: to save, or `inline` to show, which only images and PDFs are."""
    file = find_file(request, public_id)
    if inline and not file.is_previewed:
        raise Http404
    etag = quote_etag(f"{file.public_id}-{file.version}")
    response: HttpResponseBase = get_conditional_response(request, etag=etag) or _sent(file, inline)
    # Browsers may cache it but must revalidate: nobody sees it after losing access.
    response["ETag"], response["Cache-Control"] = etag, "private, no-cache"  # not a text
    response["Content-Security-Policy"] = PDF_POLICY if inline and file.content_type == PDF else SANDBOX
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _sent(file: Attachment, inline: bool) -> FileResponse:
    try:
        opened = default_storage.open(file.stored)
    except FileNotFoundError:
        logger.error("The bytes of %s are missing in the storage.", file.public_id)  # not a text
        raise Http404 from None
    kind = file.content_type if inline else UNKNOWN
    return FileResponse(opened, as_attachment=not inline, filename=file.name, content_type=kind)


@needs(Right.WORKSPACE)
def file_settings(request: Request) -> HttpResponse:
    """Show the usage of the workspace's quota; a POST permanently deletes deleted files."""
    if request.method == "POST":
        count = len(purge_attachments(clock.now(), by=request.actor).done)
        done = ngettext("{count} file permanently deleted.", "{count} files permanently deleted.", count)
        toast(request, done.format(count=formats.number(count)))
        return redirect("file_settings")
    found = usage()
    context = {"usage": found, "quota": settings.FILE_QUOTA, "most": settings.FILE_MAX_SIZE, "days": KEPT.days}
    return render(request, "files/settings.html", context)
