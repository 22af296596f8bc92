"""The settings page of free email domains."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from contacts.forms import FreeMailForm
from contacts.free_mail import SHIPPED, own_domains
from contacts.verbs.set_free_mail_domains import set_free_mail_domains
from crm.kit.errors import Invalid
from crm.kit.responses import show_errors, toast
from crm.kit.translation import gettext as _
from crm.users.http import Request
from crm.users.roles import Right
from crm.users.views import needs


@require_http_methods(["GET", "POST"])
@needs(Right.WORKSPACE)
def free_mail(request: Request) -> HttpResponse:
    form = FreeMailForm(request.POST or None, initial={"domains": "\n".join(own_domains())})
    if form.is_valid():
        try:
            set_free_mail_domains(form.cleaned_data["domains"].split(), by=request.actor)
        except Invalid as error:
            show_errors(form, error)
        else:
            toast(request, _("Free email domains saved."))
            return redirect("free_mail")
    context = {"form": form, "shipped": sorted(SHIPPED)}
    return render(request, "contacts/free_mail.html", context, status=422 if form.errors else 200)
