"""A contact's suppression: source and reason, and lifting by admins."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from contacts.axes import STATUS
from contacts.models import Contact, Suppression
from contacts.verbs.lift_suppression import lift_suppression
from crm.kit.actor import Role
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.translation import gettext as _
from crm.records.forms import ReasonForm
from crm.records.views.pages import find, rows_of
from crm.users.http import Request


@require_http_methods(["GET", "POST"])
def lift_suppression_page(request: Request, public_id: str) -> HttpResponse:
    """Show why a contact is not emailed; an admin can lift the suppression with a reason."""
    contact = find(request, Contact, public_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            lift_suppression(rows_of(contact), by=request.actor, reason=form.cleaned_data["reason"]).or_raise()
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("Suppression lifted. {contact} can receive email again.").format(contact=contact))
            return redirect(contact)
    found = Suppression.objects.filter(email_key__in=contact.email_keys).select_related("by__user").order_by("at")
    context = {
        "contact": contact,
        "form": form,
        "status": STATUS.value(contact.status),
        "suppressions": found,
        "may_lift": request.actor.is_at_least(Role.ADMIN),
    }
    return render(request, "contacts/suppression.html", context, status=422 if form.errors else 200)
