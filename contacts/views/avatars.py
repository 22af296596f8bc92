"""Pictures of contacts."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_http_methods

from contacts.models import Contact
from contacts.pictures import square_webp
from contacts.verbs.set_avatar import set_avatar
from crm.kit.transfers import max_body_size
from crm.records.views.pages import find, rows_of
from crm.users.http import Request

LARGEST_PICTURE = 10 << 20  # bytes


@max_body_size(LARGEST_PICTURE)
@require_http_methods(["GET", "POST"])
def avatar(request: Request, public_id: str) -> HttpResponseBase:
    """Return a contact's picture; a POST sets it, or without a file removes it."""
    contact = find(request, Contact, public_id)
    if request.method == "POST":
        picture = request.FILES.get("avatar")
        set_avatar(
            rows_of(contact), square_webp(picture.file) if picture and picture.file else None, by=request.actor
        ).or_raise()
        return redirect(contact)
    if not contact.avatar.name or not default_storage.exists(contact.avatar.name):
        raise Http404
    etag = quote_etag(contact.avatar.name)  # a new picture gets a new name
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        response = FileResponse(default_storage.open(contact.avatar.name), content_type="image/webp")
    # Browsers may cache it but must revalidate, so that it is not shown after a sign-out.
    response["ETag"], response["Cache-Control"] = etag, "private, no-cache"  # not a text
    return response
