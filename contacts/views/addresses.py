"""The order of a contact's addresses."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from contacts.models import Contact
from contacts.verbs.make_primary import make_primary
from crm.kit.responses import toast
from crm.kit.translation import gettext as _
from crm.records.views.pages import find, rows_of
from crm.users.http import Request


@require_POST
def change_primary(request: Request, public_id: str) -> HttpResponse:
    """Make an address the primary one."""
    contact, address = find(request, Contact, public_id), request.POST.get("address", "")
    outcome = make_primary(rows_of(contact), address, by=request.actor).or_raise()
    toast(
        request, _("{address} is now primary.").format(address=address), undo_url=reverse("undo", args=[outcome.change])
    )
    return redirect(contact)
